import Postgres
import SignalboxTestKit
import Testing

@testable import EventStore

@Suite("Partitions")
struct PartitionTests {
    private func free(_ stage: ArchiveStage) async throws -> Int64 {
        try await stage.running.pool.with { connection throws(PostgresError) in try connection.freePartitions() }
    }

    @Test("are made and filled behind a reader that has been reading for long")
    func longReader() async throws {
        try await ArchiveStage.with(width: 50, events: 21) { stage in
            #expect(try await free(stage) == 2)
            let reader = try await Connection.open(stage.database.application, role: "signalbox_audit")
            try await reader.script("BEGIN; SELECT count(*) FROM log.event")
            // Ten partitions later it still holds its locks, and nobody had to wait for it.
            try await stage.grow(by: 490)
            #expect(try await stage.partitions().count == 13)
            #expect(try await stage.log.frontier() == 511)
            #expect(
                try await reader.run(
                    "SELECT count(*) FROM pg_locks WHERE relation = 'log.event'::regclass AND pid = pg_backend_pid()"
                )
                .value(Int64.self, row: 0, column: 0) == 1
            )
            await reader.close()
        }
    }

    @Test("that cannot be attached now leave nothing half, stop no append, and are made at the next attempt")
    func attaching() async throws {
        try await ArchiveStage.with(width: 50, events: 49) { stage in
            let before = try await stage.partitions()
            _ = try await stage.log.append(request("a-1", .any, events: 7))
            #expect(try await free(stage) == 1)
            // As a long detach holds it.
            let other = try await Connection.open(stage.database.owner)
            try await other.script("BEGIN; LOCK TABLE log.event IN SHARE UPDATE EXCLUSIVE MODE")
            let error = await #expect(throws: PostgresError.self) {
                try await stage.running.pool.with { connection throws(PostgresError) in try connection.makePartitions()
                }
            }
            #expect(error?.code == "55P03")
            #expect(try await stage.partitions() == before)
            _ = try await stage.log.append(request("a-1", .any, events: 7))
            await other.close()
            try await stage.running.pool.with { connection throws(PostgresError) in try connection.makePartitions() }
            #expect(try await stage.partitions() == before + ["event_3"])
            #expect(try await free(stage) == 2)
        }
    }
}
