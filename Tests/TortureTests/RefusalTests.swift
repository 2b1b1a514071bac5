import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

extension Torture {
    @Suite("Requests are refused among others")
    struct Refusals {
        @Test("a refused request leaves no trace and harms no neighbour of its flush", arguments: Torture.durabilities)
        func noTrace(durability: Durability) async throws {
            let count = 120
            try await withDatabase { database in
                try await withLog(in: database, durability: durability) { running in
                    let taken = Claim(kind: "slug", key: "taken")
                    _ = try await running.log.append(
                        request(
                            [StreamWrite(stream("lane-owner"), expecting: .none, events: [event()])],
                            claims: [.take(taken, for: stream("lane-owner"))]
                        )
                    )
                    let before = try await Self.traces(database)
                    let refused = try await Self.inOneFlush(database) {
                        await withTaskGroup(of: Bool.self) { group in
                            for number in 0..<count {
                                group.addTask {
                                    (try? await running.log.append(Self.wish(number, taken))) == nil
                                }
                            }
                            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                        }
                    }
                    #expect(refused == count * 3 / 4)
                    let after = try await Self.traces(database)
                    let written = Int64(count / 4)
                    #expect(after == before.map { $0 + written })
                    #expect(try await running.log.everything().count == Int(written) + 1)
                }
            }
        }

        /// One of four is fine; the others are refused for their version, their claim, their fence.
        private static func wish(_ number: Int, _ taken: Claim) -> AppendRequest {
            let own = stream("lane-\(number)")
            var wish = request(
                [StreamWrite(own, expecting: .none, events: [event()])],
                command: command(),
                claims: [.take(Claim(kind: "slug", key: "name-\(number)"), for: own)],
                work: [WorkUpdate(own, guard: .create, kind: "chore", status: "queued")]
            )
            switch number % 4 {
            case 1:
                wish.writes[0].expected = .version(3)
            case 2:
                wish.claims.append(.take(Claim(kind: "slug", key: "name-of-\(number)"), for: own))
                wish.claims[0] = .take(taken, for: own)
                // A claim is in one request of a flush only, so these come one after the other.
                wish.writes[0].events.append(event())
            case 3:
                wish.work[0].guard = .holding(fence: 7)
            default:
                break
            }
            return wish
        }

        /// Runs `body` while the log cannot be written, until many wait; then lets them all go at once.
        private static func inOneFlush(
            _ database: TestDatabase,
            _ body: @escaping @Sendable () async -> Int
        ) async throws -> Int {
            let holder = try await Connection.open(database.superuser)
            try await holder.run("SELECT pg_advisory_lock(7203)")
            async let outcome = body()
            let watcher = try await Connection.open(database.superuser)
            try await eventually {
                try await watcher.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                    .decode(0, Int64.self) > 0
            }
            await watcher.close()
            await holder.close()
            return await outcome
        }

        /// How many rows of each kind there are that a request leaves.
        private static func traces(_ database: TestDatabase) async throws -> [Int64] {
            let connection = try await Connection.open(database.superuser)
            let counts = try await connection.run(
                """
                SELECT ARRAY[
                    (SELECT count(*) FROM log.event),
                    (SELECT count(*) FROM log.stream),
                    (SELECT count(*) FROM log.claim),
                    (SELECT count(*) FROM log.command),
                    (SELECT count(*) FROM log.work)
                ]
                """
            ).array(Int64.self, row: 0, column: 0)
            await connection.close()
            return counts
        }
    }
}
