import EventStore
import Kernel
import SagaSimulator
import Sagas
import SignalboxTestKit
import Testing

extension Onboarding {
    /// Waits until its provisioning has come to its end.
    func ended(_ running: RunningLog) async throws {
        try await eventually(within: .seconds(90)) {
            do throws(LogError) {
                let items = try await running.queue.list(kinds: nil, statuses: Simulation.statuses)
                let found = items.first { $0.stream == stream }
                return found.map { !SagaEngine.activeStatuses.contains($0.status) } ?? false
            } catch { return false }  // Postgres is on its way back.
        }
    }

    /// It is completed, everything is there once, and every step has succeeded once.
    func judge(
        _ stage: SagaStage,
        _ running: RunningLog,
        _ verdict: inout Verdict,
        _ what: String = ""
    ) async throws {
        let events = try await running.log.read(#require(stream), after: 0, limit: 500)
        verdict.events += events.count
        #expect(events.last?.type == "saga.completed", "\(what)")
        let succeeded = try events.filter { $0.type == "saga.step-succeeded" }.compactMap { event in
            try JSON.decode(JSONValue.self, from: event.payload ?? [])["step"]?.string
        }
        verdict.acknowledged += succeeded.count
        verdict.duplicated += succeeded.count - Set(succeeded).count
        let found = try await stage.belongings(of: self)
        #expect(found == .all, "\(what)")
        if found != .all { verdict.lost += 1 }
        try await stage.clear(self)
    }
}
