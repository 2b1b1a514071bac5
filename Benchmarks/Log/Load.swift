internal import BenchmarkKit
internal import EventStore
internal import Kernel
internal import Synchronization

/// Callers that append as the command handler does: with a command record, at an expected version, one after the other.
struct Load: Sendable {
    /// Like the payload of `instance.observed`.
    static let payload = Array(
        ("{\"instance\":\"730111222333444555\",\"allocation\":\"5b1cf2f0-6a0b-7d3e-8a55-0c1d2e3f4a5b\",\"status\":\"running\","
            + "\"address\":\"10.0.12.34:31017\",\"image\":\"ghcr.io/example/application:v1.42.0\",\"node\":\"worker-eu-1-07\","
            + "\"healthy\":true,\"restarts\":0,\"at\":\"2026-01-31T10:00:00Z\"}").utf8
    )
    let callers: Int
    /// How many events one append carries.
    let size: Int
    /// Over how many streams all callers spread together.
    var streams = 100_000

    /// Appends until the time is over.
    ///
    /// - Parameters:
    ///   - log: Running.
    ///   - time: How long; the first tenth of it is not counted.
    /// - Returns: What was acknowledged, and the latency of every append.
    /// - Throws: `AppendError`, for there is no reason to refuse one.
    func run(on log: PostgresLog, for time: Duration) async throws -> Sample {
        let base = Int64.random(in: 1..<800_000) * 1_000_000_000_000
        let start = ContinuousClock.now + time / 10
        let end = start + time
        return try await withThrowingTaskGroup(of: [Int64].self) { group in
            for caller in 0..<callers {
                group.addTask { try await call(log, caller: caller, base: base, from: start, until: end) }
            }
            var latencies: [Int64] = []
            for try await some in group { latencies += some }
            let elapsed = ContinuousClock.now - start
            latencies.sort()
            return Sample(events: latencies.count * size, elapsed: elapsed, latencies: latencies)
        }
    }

    private func call(
        _ log: PostgresLog,
        caller: Int,
        base: Int64,
        from start: ContinuousClock.Instant,
        until end: ContinuousClock.Instant
    ) async throws -> [Int64] {
        var latencies: [Int64] = []
        var versions: [Int64: Int64] = [:]
        let mine = Int64(streams / callers)
        let first = base + Int64(caller) * mine
        let organization = OrganizationID(base + Int64(caller))
        let actor = "key-\(base + Int64(caller))"
        var hash = [UInt8](repeating: UInt8(truncatingIfNeeded: caller), count: 32)
        while true {
            let begun = ContinuousClock.now
            guard begun < end else { return latencies }
            let number = first + Int64.random(in: 0..<mine)
            let command = IDSource.system.unique()
            hash.replaceSubrange(0..<16, with: command.bytes)
            let appended = try await log.append(
                AppendRequest(
                    causation: Causation(actor: actor, command: command),
                    command: CommandRecord(
                        id: command,
                        principal: actor,
                        requestHash: hash,
                        answer: Array("{\"operation\":\"\(command)\"}".utf8)
                    ),
                    writes: [
                        StreamWrite(
                            StreamName(category: "instance", id: number),
                            organization: organization,
                            expecting: .version(versions[number, default: 0]),
                            events: (0..<size).map { _ in
                                NewEvent(
                                    id: IDSource.system.unique(),
                                    type: "instance.observed",
                                    payload: Self.payload
                                )
                            }
                        )
                    ]
                )
            )
            versions[number] = appended.versions.values.first
            if begun >= start { latencies.append((ContinuousClock.now - begun).microseconds) }
        }
    }
}
