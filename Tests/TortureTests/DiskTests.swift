import EventStore
import Glibc
import Kernel
import Postgres
import SignalboxTestKit
import Testing

extension Torture {
    @Suite("The disk is full")
    struct Disks {
        @Test(
            "appends are refused, nothing acknowledged is lost, and all goes on once there is room",
            .enabled(if: geteuid() == 0, "only root can give Postgres a disk of its own"),
            arguments: Torture.durabilities
        )
        func full(durability: Durability) async throws {
            let cycles = Torture.size(bounded: 2, full: 20)
            let server = try await PostgresServer.start(
                durable: true,
                settings: ["min_wal_size": "32MB", "max_wal_size": "48MB"],
                disk: 192
            )
            let database = try await server.makeDatabase(.migrated)
            var verdict = Verdict("disk full, \(durability)")
            verdict.cycles = cycles
            try await withLog(in: database, durability: durability, patience: .milliseconds(200)) { running in
                var written: [UniqueID: Int64] = [:]
                for cycle in 0..<cycles {
                    for _ in 0..<50 {
                        if let (id, position) = try await Self.append(to: running.log) { written[id] = position }
                    }
                    let before = written.count
                    #expect(before > 0)
                    try await server.fillDisk()
                    var refusals = 0
                    while refusals < 3 {
                        if let (id, position) = try await Self.append(to: running.log) {
                            written[id] = position
                        } else {
                            refusals += 1
                        }
                    }
                    // Without room for its own log Postgres gives up altogether, and somebody has to start it again.
                    if cycle.isMultiple(of: 2) { await Self.exhaustWriteAheadLog(server) }
                    try await server.freeDisk()
                    try await server.stop(.immediate)
                    try await server.launch()
                    try await eventually(within: .seconds(60)) {
                        guard let (id, position) = try await Self.append(to: running.log) else { return false }
                        written[id] = position
                        return true
                    }
                }
                try await Self.judge(running.log, written, &verdict)
            }
            verdict.publish()
            verdict.expectClean()
            try await server.remove()
        }

        /// Writes one large event that does not compress.
        ///
        /// - Returns: `nil` when it was refused for now.
        private static func append(to log: PostgresLog) async throws -> (UniqueID, Int64)? {
            let noise = (0..<2500).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
            let event = NewEvent(
                id: IDSource.system.unique(),
                type: "lane.filled",
                payload: Array("\"\(noise)\"".utf8)
            )
            let stream = StreamName(category: "lane", id: "disk")
            do throws(AppendError) {
                let appended = try await log.append(
                    AppendRequest(
                        causation: Causation(actor: "system", command: IDSource.system.unique()),
                        writes: [StreamWrite(stream, expecting: .any, events: [event])]
                    )
                )
                return (event.id, appended.firstPosition)
            } catch {
                guard error == .unavailable else { throw error }
                return nil
            }
        }

        /// Has the server ask for one segment of its log after the other, until it cannot have one.
        private static func exhaustWriteAheadLog(_ server: PostgresServer) async {
            do throws(PostgresError) {
                let connection = try await Connection.open(server.conninfo())
                while true {
                    try await connection.run("SELECT pg_logical_emit_message(true, 'torture', ''), pg_switch_wal()")
                }
            } catch {
                // That was the end of it.
            }
        }

        private static func judge(
            _ log: PostgresLog,
            _ written: [UniqueID: Int64],
            _ verdict: inout Verdict
        ) async throws {
            var found: [UniqueID: Int64] = [:]
            var position: Int64 = 0
            while true {
                // Contiguous, or it throws.
                let page = try await log.read(after: position, through: nil, matching: .everything, limit: 500)
                if page.events.isEmpty { break }
                for event in page.events where found.updateValue(event.position, forKey: event.id) != nil {
                    verdict.duplicated += 1
                }
                position = page.scannedTo
            }
            verdict.events = found.count
            verdict.acknowledged = written.count
            verdict.lost = written.count { found[$0.key] != $0.value }
        }
    }
}
