import Commands
import Domain
import Kernel
import SignalboxTestKit
import Testing

@Suite("Instance")
struct InstanceTests {
    private typealias Facts = InstanceFacts

    /// What a command comes to in a stage: events, nothing new, or a refusal.
    enum Verdict: Equatable, Sendable {
        case makes(Int)
        case nothing
        case refuses(Instance.Refusal)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let command: Instance.Command
        let verdicts: [Verdict]

        var testDescription: String { name }
    }

    /// The truth table: one verdict for each of `Instance.Stage.allCases`, in their order.
    private static let rows: [Row] = {
        let nothing = Verdict.nothing
        let one = Verdict.makes(1)
        let none = Verdict.refuses(.notRequested)
        let over = Verdict.refuses(.terminated)
        let wrong = Verdict.refuses(.notProvisioning)
        func row(_ name: String, _ command: Instance.Command, _ verdicts: Verdict...) -> Row {
            Row(name: name, command: command, verdicts: verdicts)
        }
        let again = Verdict.refuses(.alreadyRequested)
        let alive = Verdict.refuses(.notFailed)
        let otherWorkload = InstanceEvent.WorkloadRegistered(
            job: "j",
            jobVersion: 1,
            modifyIndex: 9,
            specHash: "e",
            generation: 1
        )
        let otherCredentials = InstanceEvent.CredentialsReserved(keyVersion: 2, rotation: 1, generation: 1)
        let unlike = Verdict.refuses(.otherCredentials)
        return [
            // absent, provisioning, failed, running, changing, stopping, stopped, starting, terminating, terminated
            row(
                "request",
                .request(Facts.requested),
                one,
                again,
                again,
                again,
                again,
                again,
                again,
                again,
                again,
                again
            ),
            row("retry", .retry, none, alive, one, alive, alive, alive, alive, alive, alive, over),
            row(
                "reserve the same credentials",
                .reserveCredentials(Facts.credentials),
                none,
                nothing,
                wrong,
                nothing,
                nothing,
                nothing,
                nothing,
                nothing,
                nothing,
                over
            ),
            row(
                "reserve other credentials",
                .reserveCredentials(otherCredentials),
                none,
                unlike,
                wrong,
                wrong,
                wrong,
                wrong,
                wrong,
                wrong,
                unlike,
                over
            ),
            row(
                "the same database",
                .recordDatabase(Facts.database),
                none,
                nothing,
                wrong,
                nothing,
                nothing,
                nothing,
                wrong,
                nothing,
                nothing,
                over
            ),
            row(
                "the same isolation",
                .recordIsolation(Facts.isolation),
                none,
                nothing,
                wrong,
                nothing,
                nothing,
                nothing,
                wrong,
                nothing,
                nothing,
                over
            ),
            row(
                "the same workload",
                .recordWorkload(Facts.workload),
                none,
                nothing,
                wrong,
                nothing,
                nothing,
                nothing,
                wrong,
                nothing,
                nothing,
                over
            ),
            row(
                "another workload",
                .recordWorkload(otherWorkload),
                none,
                one,
                wrong,
                one,
                one,
                one,
                wrong,
                one,
                one,
                over
            ),
            row(
                "health",
                .recordHealthy(Facts.healthy),
                none,
                nothing,
                wrong,
                nothing,
                nothing,
                nothing,
                wrong,
                nothing,
                nothing,
                over
            ),
            row(
                "publish the route",
                .publishRoute(Facts.route),
                none,
                nothing,
                wrong,
                nothing,
                nothing,
                nothing,
                wrong,
                nothing,
                nothing,
                over
            ),
            row(
                "withdraw the route",
                .withdrawRoute(Facts.withdrawn),
                none,
                one,
                nothing,
                one,
                one,
                one,
                one,
                one,
                one,
                one
            ),
            row(
                "running",
                .markRunning(Facts.running),
                none,
                one,
                wrong,
                nothing,
                nothing,
                wrong,
                wrong,
                wrong,
                nothing,
                over
            ),
            row(
                "failed",
                .failProvisioning(Facts.failed),
                none,
                one,
                nothing,
                wrong,
                wrong,
                wrong,
                wrong,
                wrong,
                one,
                over
            ),
            row("observe", .observe(Facts.observed), none, one, one, one, one, one, one, one, one, over),
            row(
                "quarantine",
                .recordDatabaseQuarantined(Facts.quarantined),
                none,
                one,
                one,
                one,
                one,
                one,
                one,
                one,
                one,
                one
            ),
            row(
                "drop",
                .recordDatabaseDropped(Facts.dropped),
                none,
                one,
                nothing,
                one,
                one,
                one,
                one,
                one,
                one,
                one
            ),
        ]
    }()

    @Test("each command means the same in each stage as in the table", arguments: rows + InstanceChangeRows.rows)
    func truthTable(row: Row) {
        #expect(row.verdicts.count == Instance.Stage.allCases.count)
        for (stage, verdict) in zip(Instance.Stage.allCases, row.verdicts) {
            #expect(Self.verdict(on: row.command, in: stage) == verdict, "\(row.name) while \(stage.rawValue)")
        }
    }

    /// What a command comes to in a stage.
    static func verdict(on command: Instance.Command, in stage: Instance.Stage) -> Verdict {
        let model = Instance(replaying: Facts.history(of: stage))
        #expect(model.stage == stage)
        do throws(Instance.Refusal) {
            let events = try model.decide(command)
            return events.isEmpty ? .nothing : .makes(events.count)
        } catch {
            return .refuses(error)
        }
    }

    @Test("a provisioning records each of its facts once")
    func provisioning() {
        let events: [InstanceEvent] = Facts.whole + [.running(Facts.running)]
        let commands: [Instance.Command] = [
            .request(Facts.requested), .reserveCredentials(Facts.credentials), .recordDatabase(Facts.database),
            .recordIsolation(Facts.isolation), .recordWorkload(Facts.workload), .recordHealthy(Facts.healthy),
            .publishRoute(Facts.route), .markRunning(Facts.running),
        ]
        for (index, command) in commands.enumerated() {
            let scenario = given(Instance.self, after: Array(events.prefix(index)))
            if index == 0 {
                scenario.when(command).thenOnce(events[index])
            } else {
                scenario.when(command).then(events[index])
            }
        }
    }

    @Test("a retry is the next generation, and what the last one made is forgotten")
    func retry() {
        let failed = Facts.history(of: .provisioningFailed)
        given(Instance.self, after: failed).when(.retry).thenOnce(.retryRequested(.init(generation: 2)))
        let model = Instance(replaying: failed + [.retryRequested(.init(generation: 2))])
        #expect(model.stage == .provisioning)
        #expect(model.generation == 2)
        #expect(model.credentials == nil && model.database == nil && model.workload == nil && model.route == nil)
        #expect(model.requested == Facts.requested)
    }

    @Test("what a process of an earlier generation still says is refused")
    func staleGeneration() {
        let retried = Facts.history(of: .provisioningFailed) + [.retryRequested(.init(generation: 2))]
        let stale: [Instance.Command] = [
            .reserveCredentials(Facts.credentials), .recordDatabase(Facts.database), .recordWorkload(Facts.workload),
            .publishRoute(Facts.route), .withdrawRoute(Facts.withdrawn), .markRunning(Facts.running),
            .failProvisioning(Facts.failed), .observe(Facts.observed),
        ]
        for command in stale {
            given(Instance.self, after: retried).when(command).refused(.staleGeneration)
        }
    }

    @Test("a request needs a well-formed name and begins with generation 1")
    func request() {
        var fact = Facts.requested
        fact.name = "Not-A-Name"
        given(Instance.self).when(.request(fact)).refused(.nameMalformed)
        fact = Facts.requested
        fact.generation = 2
        given(Instance.self).when(.request(fact)).refused(.generationMalformed)
    }

    @Test("a condition is recorded when it changes, and only then")
    func conditions() {
        given(Instance.self, after: Facts.whole).when(.observe(Facts.observed)).then(.observed(Facts.observed))
        var other = Facts.observed
        other.status = .no
        given(Instance.self, after: Facts.whole + [.observed(Facts.observed)])
            .when(.observe(other)).then(.observed(other))
    }

    @Test("a change of plan or release shows in what the instance runs")
    func changed() {
        let release = ReleaseSnapshot(application: "railzway", version: "v2", image: "railzway:v2")
        let changed = InstanceEvent.Changed(
            change: "version",
            from: "v1",
            to: "v2",
            plan: Samples.plan(.enterprise),
            release: release
        )
        let model = Instance(replaying: Facts.history(of: .changing) + [.changed(changed)])
        #expect(model.stage == .running)
        #expect(model.requested?.release == release)
        #expect(model.requested?.plan.tier == .enterprise)
    }
}
