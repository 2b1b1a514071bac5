import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

extension Torture {
    @Suite("Many write and many read")
    struct Skips {
        /// Events of one call.
        private static let batch = 100

        @Test(
            "no reader misses an event: 32 writers that commit, dawdle and roll back, and 8 readers",
            arguments: Torture.durabilities
        )
        func skips(durability: Durability) async throws {
            let total = Torture.size(bounded: 512_000, full: 5_120_000)
            let isDurable = durability == .commit
            // The cluster of its own has room on disk for all of it, and takes it away at the end.
            let server = try await PostgresServer.start(settings: ["max_wal_size": "4GB", "shared_buffers": "256MB"])
            let database = try await server.makeDatabase(.migrated)
            try await database.installInstruments()
            let pool = Pool(conninfo: database.application, size: 8, role: "signalbox_append")
            var rollbacks = 0
            var skipped = 0
            try await withThrowingTaskGroup(of: (undone: Int, missed: Int).self) { group in
                for writer in 0..<32 {
                    group.addTask { (try await Self.write(database, "skip-\(writer)", total / 32, isDurable), 0) }
                }
                for reader in 0..<8 {
                    group.addTask {
                        switch reader % 4 {
                        case 0: (0, try await Self.follow(PostgresLog.reader(pool: pool), through: Int64(total)))
                        case 1: (0, try await Self.follow("skip-\(reader)", PostgresLog.reader(pool: pool), total))
                        default: (0, try await Self.watch(database, through: Int64(total)))
                        }
                    }
                }
                for try await found in group {
                    rollbacks += found.undone
                    skipped += found.missed
                }
            }
            await pool.close()
            let connection = try await Connection.open(database.superuser)
            let (events, holes, twice) = try await connection.run(
                "SELECT count(*), max(position) - count(*), count(*) - count(DISTINCT event_id) FROM log.event"
            ).decode(0, Int64.self, Int64.self, Int64.self)
            await connection.close()
            var verdict = Verdict("32 writers, 8 readers, \(durability)")
            verdict.events = Int(events)
            verdict.acknowledged = total
            verdict.lost = total - Int(events)
            verdict.duplicated = Int(twice)
            verdict.skipped = Int(holes) + skipped
            verdict.notes = ["rolled back \(rollbacks) calls"]
            verdict.publish()
            verdict.expectClean()
            #expect(rollbacks > 0)
            try await server.remove()
        }

        /// Appends over a connection of its own; now and then it takes its time to commit, or rolls back.
        ///
        /// - Returns: How many calls were rolled back.
        private static func write(
            _ database: TestDatabase,
            _ stream: String,
            _ count: Int,
            _ isDurable: Bool
        ) async throws -> Int {
            let connection = try await Connection.open(database.superuser)
            var undone = 0
            for call in 0..<(count / batch) {
                let statement: SQL = "SELECT torture.write(\(stream), \(Int32(batch)), \(isDurable))"
                if call % 40 == 7 {
                    try await connection.script("BEGIN")
                    try await connection.run(statement, prepared: true)
                    try await connection.script("ROLLBACK")
                    undone += 1
                }
                if call % 40 == 21 {
                    try await connection.script("BEGIN")
                    try await connection.run(statement, prepared: true)
                    try await connection.run("SELECT pg_sleep(random() * 0.005)")
                    try await connection.script("COMMIT")
                } else {
                    try await connection.run(statement, prepared: true)
                }
            }
            await connection.close()
            return undone
        }

        /// Reads everything; the log itself asserts that no page has a hole.
        private static func follow(_ log: PostgresLog, through end: Int64) async throws -> Int {
            var (missed, position) = (0, Int64(0))
            while position < end {
                let page = try await log.read(after: position, through: nil, matching: .everything, limit: 5000)
                if page.scannedFrom != position + 1 { missed += 1 }
                for (index, event) in page.events.enumerated() where event.position != position + 1 + Int64(index) {
                    missed += 1
                }
                if page.scannedTo < position + 1000 { await Bell().wait(after: 0, atMost: .milliseconds(2)) }
                position = page.scannedTo
            }
            return missed
        }

        /// Reads one stream out of all, page by page; none of its versions may be missing.
        private static func follow(_ name: String, _ log: PostgresLog, _ total: Int) async throws -> Int {
            var (missed, position, version) = (0, Int64(0), Int64(0))
            let filter = EventFilter(stream: stream(name))
            while position < Int64(total) {
                let page = try await log.read(after: position, through: nil, matching: filter, limit: 5000)
                if page.scannedFrom != position + 1 { missed += 1 }
                for event in page.events {
                    if event.version != version + 1 { missed += 1 }
                    version = event.version
                }
                if page.scannedTo < position + 1000 { await Bell().wait(after: 0, atMost: .milliseconds(2)) }
                position = page.scannedTo
            }
            return missed + abs(total / 32 - Int(version))
        }

        /// Looks at the head as closely as it can, from a session of its own: what is visible may never have a hole.
        private static func watch(_ database: TestDatabase, through end: Int64) async throws -> Int {
            let connection = try await Connection.open(database.superuser)
            var (missed, position) = (0, Int64(0))
            while position < end {
                let (count, first, last) = try await connection.run(
                    """
                    SELECT count(*), coalesce(min(position), 0), coalesce(max(position), 0)
                      FROM (SELECT position FROM log.event WHERE position > \(position) ORDER BY position LIMIT 5000) AS e
                    """,
                    prepared: true
                ).decode(0, Int64.self, Int64.self, Int64.self)
                // The writers need the processors too.
                if count < 1000 { await Bell().wait(after: 0, atMost: .milliseconds(2)) }
                guard count > 0 else { continue }
                if first != position + 1 || last != position + count { missed += 1 }
                position = last
            }
            await connection.close()
            return missed
        }
    }
}
