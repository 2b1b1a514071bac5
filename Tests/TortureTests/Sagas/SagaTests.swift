import DevPlane
import EventStore
import Glibc
import Kernel
import Platform
import Postgres
import SagaSimulator
import Sagas
import SignalboxTestKit
import Testing

extension Torture {
    @Suite("Processes of sagas are killed, stopped and late, against real targets")
    struct Sagas {
        /// What befalls a provisioning.
        enum Blow: Sendable {
            /// `kill -9` of the process at a place.
            case kill(String)
            /// The same, and Postgres is stopped at once while the next process takes over.
            case killAndRecover(String)
            /// The process stands still at a place while another takes over, and then goes on.
            case stop(String)
            /// The process is killed while its `CREATE DATABASE` waits, which is then done for nobody.
            case lateCreate
            /// The agent says that somebody else was faster.
            case conflict
            /// Billing does what it was asked to and drops the answer.
            case droppedAnswer(String)
        }

        private static let steps = [
            "ensure-customer", "draft-subscription", "create-role", "create-database", "isolate-database",
            "write-secret", "register-workload", "await-healthy", "publish-route", "activate-subscription",
            "mark-running",
        ]

        private static var places: [String] { steps.flatMap { ["before \($0)", "after \($0)"] } }

        private static var blows: [Blow] {
            let few: [Blow] = [
                .kill("after create-database"), .kill("before activate-subscription"), .lateCreate, .conflict,
                .droppedAnswer("/activate"), .stop("before register-workload"),
                .killAndRecover("after create-role"),
            ]
            guard Torture.Size.current == .full else { return few }
            let each = places.flatMap { [Blow.kill($0), .killAndRecover($0), .stop($0)] }
            let calls = ["/customers", "/subscriptions", "/activate"].map(Blow.droppedAnswer)
            return Array(repeating: few + each + calls, count: 3).flatMap(\.self)
        }

        @Test("a provisioning ends with one of everything, whatever befalls whoever does it")
        func provisioning() async throws {
            try await withSagaStage { stage in
                try await withLog(in: stage.database) { running in
                    var verdict = Verdict("blows at provisionings")
                    for blow in Self.blows {
                        let start = ContinuousClock.now
                        try await Self.deal(blow, stage, running, &verdict)
                        verdict.cycles += 1
                        verdict.stall = max(verdict.stall, ContinuousClock.now - start)
                    }
                    verdict.publish()
                    verdict.expectClean()
                }
            }
        }

        private static func deal(
            _ blow: Blow,
            _ stage: SagaStage,
            _ running: RunningLog,
            _ verdict: inout Verdict
        ) async throws {
            let instance = try Onboarding()
            _ = try await running.log.append(instance.request)
            var other: Onboarding?
            switch blow {
            case .kill(let place):
                try await withSagaWorker(stage, struckAt: place) { process in
                    try await eventually(within: .seconds(60)) { process.state == "Z" }
                }
                try await withSagaWorker(stage) { _ in try await instance.ended(running) }
            case .killAndRecover(let place):
                try await withSagaWorker(stage, struckAt: place) { process in
                    try await eventually(within: .seconds(60)) { process.state == "Z" }
                }
                try await withSagaWorker(stage) { process in
                    try await eventually(within: .seconds(60)) { process.said("ready") }
                    try await stage.server.stop(.immediate)
                    try await stage.server.launch()
                    try await instance.ended(running)
                }
            case .stop(let place):
                other = try await withSagaWorker(stage, struckAt: place, by: SIGSTOP) { zombie in
                    try await eventually(within: .seconds(60)) { zombie.state == "T" }
                    try await withSagaWorker(stage) { _ in try await instance.ended(running) }
                    zombie.signal(SIGCONT)
                    // Whoever does another from beginning to end is through with what it had in hand.
                    let next = try Onboarding()
                    _ = try await running.log.append(next.request)
                    try await next.ended(running)
                    return next
                }
            case .lateCreate: try await lateCreate(instance, stage, running)
            case .conflict:
                let text = "Enforcing job modify index 0: job exists with conflicting job modify index: 7"
                stage.nomadFaults.add(.refuse(status: 500, body: text), method: "PUT", path: "/v1/jobs")
                try await withSagaWorker(stage) { _ in try await instance.ended(running) }
            case .droppedAnswer(let path):
                stage.billingFaults.add(.dropAnswer, method: "POST", path: path)
                try await withSagaWorker(stage) { _ in try await instance.ended(running) }
            }
            for instance in [instance, other].compactMap(\.self) {
                try await instance.judge(stage, running, &verdict, "\(blow)")
            }
        }

        /// The statement of a dead process is done all the same; whoever comes next has to wait for it.
        private static func lateCreate(
            _ instance: Onboarding,
            _ stage: SagaStage,
            _ running: RunningLog
        ) async throws {
            let blocker = try await Connection.open(stage.server.conninfo())
            let observer = try await Connection.open(stage.server.conninfo())
            // Nobody can add a database as long as this is held, and everybody can connect.
            try await blocker.script("BEGIN; LOCK TABLE pg_database IN SHARE MODE")
            try await withSagaWorker(stage) { process in
                try await eventually(within: .seconds(60)) { try await waiting(observer, "CREATE DATABASE%") > 0 }
                process.signal(SIGKILL)
            }
            try await withSagaWorker(stage) { _ in
                try await eventually(within: .seconds(60)) {
                    try await waiting(observer, "SELECT pg_advisory_lock%") > 0
                }
                try await blocker.script("COMMIT")
                try await instance.ended(running)
            }
            await blocker.close()
            await observer.close()
        }

        private static func waiting(_ observer: Connection, _ query: String) async throws -> Int64 {
            try await observer.run(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE \(query)"
            ).decode(0, Int64.self)
        }
    }
}
