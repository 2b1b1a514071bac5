import Commands
import Domain
import Kernel
import SignalboxTestKit
import Testing

@Suite("Stopping, starting and ending an instance, decided")
struct InstanceTransitionTests {
    private typealias Facts = InstanceFacts
    private typealias Row = InstanceTests.Row

    /// The truth table: one verdict for each of `Instance.Stage.allCases`, in their order.
    private static let rows: [Row] = {
        typealias Verdict = InstanceTests.Verdict
        let (nothing, one) = (Verdict.nothing, Verdict.makes(1))
        let (none, over) = (Verdict.refuses(.notRequested), Verdict.refuses(.terminated))
        let (still, alive, unasked) = (
            Verdict.refuses(.notRunning), Verdict.refuses(.notStopped), Verdict.refuses(.notAsked)
        )
        func row(_ name: String, _ command: Instance.Command, _ verdicts: Verdict...) -> Row {
            Row(name: name, command: command, verdicts: verdicts)
        }
        return [
            // absent, provisioning, failed, running, changing, stopping, stopped, starting, terminating, terminated
            row(
                "stop",
                .requestStop(reason: "asked"),
                none,
                still,
                still,
                one,
                still,
                still,
                still,
                still,
                still,
                over
            ),
            row(
                "start",
                .requestStart(reason: "asked"),
                none,
                alive,
                alive,
                alive,
                alive,
                alive,
                one,
                alive,
                alive,
                over
            ),
            row(
                "terminate",
                .requestTermination(reason: "asked"),
                none,
                one,
                one,
                one,
                one,
                one,
                one,
                one,
                nothing,
                nothing
            ),
            row("stopped", .markStopped, none, unasked, unasked, unasked, unasked, one, nothing, unasked, one, over),
            row(
                "started",
                .markStarted,
                none,
                unasked,
                unasked,
                nothing,
                unasked,
                unasked,
                unasked,
                one,
                nothing,
                over
            ),
            row(
                "terminated",
                .markTerminated,
                none,
                unasked,
                unasked,
                unasked,
                unasked,
                unasked,
                unasked,
                unasked,
                one,
                nothing
            ),
            row(
                "not stopped after all",
                .rollBack(.stop, reason: "x"),
                none,
                nothing,
                nothing,
                nothing,
                nothing,
                one,
                nothing,
                nothing,
                one,
                over
            ),
            row(
                "not started after all",
                .rollBack(.start, reason: "x"),
                none,
                nothing,
                nothing,
                nothing,
                nothing,
                nothing,
                nothing,
                one,
                one,
                over
            ),
            row(
                "not terminated after all",
                .rollBack(.termination, reason: "x"),
                none,
                nothing,
                nothing,
                nothing,
                nothing,
                nothing,
                nothing,
                nothing,
                one,
                over
            ),
            row("backup", .recordBackup(Facts.backup), none, one, one, one, one, one, one, one, one, over),
        ]
    }()

    @Test("each command means the same in each stage as in the table", arguments: rows)
    private func truthTable(row: Row) {
        #expect(row.verdicts.count == Instance.Stage.allCases.count)
        for (stage, verdict) in zip(Instance.Stage.allCases, row.verdicts) {
            #expect(InstanceTests.verdict(on: row.command, in: stage) == verdict, "\(row.name) while \(stage.rawValue)")
        }
    }

    @Test("what cannot be done leaves the instance where it was")
    func rolledBack() {
        let because = Because(reason: "asked")
        let running = Facts.history(of: .running)
        let stopped = Facts.history(of: .stopped)
        for (history, transition, stage) in [
            (running + [.stopRequested(because)], InstanceTransition.stop, Instance.Stage.running),
            (stopped + [.startRequested(because)], .start, .stopped),
            (running + [.terminationRequested(because)], .termination, .running),
            (stopped + [.terminationRequested(because)], .termination, .stopped),
            (
                Facts.history(of: .provisioningFailed) + [.terminationRequested(because)], .termination,
                .provisioningFailed
            ),
        ] {
            let fact = InstanceEvent.ChangeRolledBack(change: transition.rawValue, reason: "x", back: stage.rawValue)
            given(Instance.self, after: history).when(.rollBack(transition, reason: "x")).then(.changeRolledBack(fact))
            #expect(Instance(replaying: history + [.changeRolledBack(fact)]).stage == stage)
        }
    }

    @Test("a termination that is asked for meanwhile waits for what is under way, and goes on from there")
    func meanwhile() {
        let asked = InstanceEvent.terminationRequested(Because(reason: "asked"))
        let stopping = Facts.history(of: .stopping) + [asked]
        given(Instance.self, after: stopping).when(.markStopped).then(.stopped(.init()))
        let stopped = stopping + [.stopped(.init())]
        #expect(Instance(replaying: stopped).stage == .terminating)
        #expect(Instance(replaying: stopped).resting == .stopped)
        given(Instance.self, after: stopped).when(.markStopped).then()

        let provisioning = Facts.whole + [asked]
        given(Instance.self, after: provisioning).when(.markRunning(Facts.running)).then(.running(Facts.running))
        given(Instance.self, after: provisioning).when(.failProvisioning(Facts.failed))
            .then(.provisioningFailed(Facts.failed))
        let failed = Instance(replaying: provisioning + [.provisioningFailed(Facts.failed)])
        #expect(failed.stage == .terminating && failed.database == nil)
        given(Instance.self, after: provisioning + [.provisioningFailed(Facts.failed)]).when(.retry).refused(.notFailed)
    }

    @Test("the database of an earlier generation is dropped without a word about the present one")
    func otherDatabase() {
        let second = InstanceEvent.DatabaseProvisioned(database: "d_g2", role: "r", host: "h", port: 1, generation: 1)
        let history =
            Facts.history(of: .running) + [.databaseQuarantined(Facts.quarantined), .databaseProvisioned(second)]
        given(Instance.self, after: history).when(.recordDatabaseDropped(Facts.dropped))
            .then(.databaseDropped(Facts.dropped))
        let after = Instance(replaying: history + [.databaseDropped(Facts.dropped)])
        #expect(after.database == second && after.quarantine == nil)
        given(Instance.self, after: history + [.databaseDropped(Facts.dropped)])
            .when(.recordDatabaseDropped(Facts.dropped)).then()
    }
}
