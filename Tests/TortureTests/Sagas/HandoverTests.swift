import EventStore
import Glibc
import Kernel
import SagaSimulator
import Sagas
import SignalboxTestKit
import Testing

extension Torture {
    @Suite("Two processes share the sagas, and one of them goes")
    struct Handovers {
        @Test("what it held goes on at the other, and no step is done twice", arguments: [SIGKILL, SIGTERM])
        func handover(signal: Int32) async throws {
            let cycles = Torture.size(bounded: 1, full: 25)
            try await withSagaStage { stage in
                try await withLog(in: stage.database) { running in
                    var longest = Duration.zero
                    var verdict = Verdict(signal == SIGKILL ? "kill -9 of one of two" : "SIGTERM of one of two")
                    for _ in 0..<cycles {
                        let instances = try (0..<4).map { _ in try Onboarding() }
                        longest = max(longest, try await Self.share(instances, signal, stage, running))
                        for instance in instances { try await instance.judge(stage, running, &verdict) }
                        verdict.cycles += 1
                    }
                    verdict.stall = longest
                    verdict.notes = [signal == SIGKILL ? "a lease is 2 s" : "leases are given back"]
                    verdict.publish()
                    verdict.expectClean()
                }
            }
        }

        /// Two do what there is to do, until one that holds something is told to go.
        ///
        /// - Returns: How long what it held waited for the other.
        private static func share(
            _ instances: [Onboarding],
            _ signal: Int32,
            _ stage: SagaStage,
            _ running: RunningLog
        ) async throws -> Duration {
            try await withSagaWorker(stage) { first in
                try await withSagaWorker(stage) { second in
                    try await eventually(within: .seconds(60)) { first.said("ready") && second.said("ready") }
                    for instance in instances { _ = try await running.log.append(instance.request) }
                    let names = instances.compactMap(\.stream)
                    var (held, struck) = ([WorkRow](), first)
                    try await eventually(within: .seconds(60)) {
                        // One of them may have been fast enough to take all there is.
                        let rows = try await rows(names, running)
                        for worker in [first, second] where held.isEmpty {
                            // Whoever waits for its health holds no lease for long.
                            held = rows.filter { $0.owner == worker.owner && $0.item.step != "await-healthy" }
                            struck = worker
                        }
                        return !held.isEmpty
                    }
                    let start = ContinuousClock.now
                    struck.signal(signal)
                    let fences = Dictionary(held.map { ($0.item.stream, $0.item.fence) }) { first, _ in first }
                    try await eventually(within: .seconds(60)) {
                        try await rows(names, running).allSatisfy { row in
                            guard let fence = fences[row.item.stream] else { return true }
                            return row.item.fence > fence || !SagaEngine.activeStatuses.contains(row.item.status)
                        }
                    }
                    let span = ContinuousClock.now - start
                    try await eventually(within: .seconds(60)) { struck.state == "Z" }
                    #expect(!struck.said("Fatal error"))
                    for instance in instances { try await instance.ended(running) }
                    return span
                }
            }
        }

        private static func rows(_ names: [StreamName], _ running: RunningLog) async throws -> [WorkRow] {
            try await running.queue.rows(WorkFilter(streams: names), after: nil, limit: 100).rows
        }
    }
}
