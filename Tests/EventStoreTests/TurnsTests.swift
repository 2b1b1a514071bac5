import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("Two append connections")
struct TurnsTests {
    @Test("a second flush is sent behind the first when enough wait", arguments: Durability.allCases)
    func behind(durability: Durability) async throws {
        try await withHeldLock(durability) { log, sessions, release in
            try await withThrowingTaskGroup(of: Appended.self) { group in
                group.addTask { try await log.append(request("a-0", .none)) }
                _ = try await sessions.waiting(1)
                for number in 1...64 {
                    group.addTask { try await log.append(request("a-\(number)", .none)) }
                }
                _ = try await sessions.waiting(2)
                try await release()
                var positions: Set<Int64> = []
                for try await appended in group { positions.insert(appended.lastPosition) }
                #expect(positions == Set(1...65))
            }
        }
    }

    @Test("a few wait for the first, and share a transaction", arguments: Durability.allCases)
    func few(durability: Durability) async throws {
        try await withHeldLock(durability) { log, sessions, release in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await log.append(request("a-0", .none)) }
                _ = try await sessions.waiting(1)
                // They are in the queue when this has gone through.
                for number in 1...8 {
                    group.addImmediateTask { _ = try await log.append(request("a-\(number)", .none)) }
                }
                try await release()
                try await group.waitForAll()
            }
            // Every event of a flush has the same time.
            let flushes = try await sessions.connection.run(
                "SELECT count(*) FROM log.event GROUP BY recorded_at ORDER BY min(position)"
            )
            .column(Int64.self)
            #expect(flushes == [1, 8])
        }
    }

    @Test("even a few do not wait for one that does not come back", arguments: Durability.allCases)
    func stuck(durability: Durability) async throws {
        try await withHeldLock(durability, stuckAfter: .milliseconds(50)) { log, sessions, release in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await log.append(request("a-0", .none)) }
                _ = try await sessions.waiting(1)
                for number in 1...3 {
                    group.addImmediateTask { _ = try await log.append(request("a-\(number)", .none)) }
                }
                _ = try await sessions.waiting(2)
                try await release()
                try await group.waitForAll()
            }
            #expect(try await log.frontier() == 4)
        }
    }
}
