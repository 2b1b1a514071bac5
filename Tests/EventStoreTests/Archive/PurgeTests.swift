import FoundationEssentials
import Postgres
import SignalboxTestKit
import Testing

@testable import EventStore

@Suite("Erasing what was archived")
struct PurgeTests {
    private func erase(_ positions: [Int64], in stage: ArchiveStage) async throws {
        let owner = try await Connection.open(stage.database.owner)
        try await owner.run("SELECT log.erase(\(array: positions))")
        await owner.close()
    }

    private func expected(_ before: Readings, without positions: Set<Int64>) -> Readings {
        func erased(_ event: RecordedEvent) -> RecordedEvent {
            var event = event
            if positions.contains(event.position) { event.payload = nil }
            return event
        }
        var after = before
        after.rows = before.rows.map { positions.contains($0.event.position) ? $0.erased : $0 }
        after.pages = before.pages.map { $0.map(erased) }
        after.streams = before.streams.map { $0.map(erased) }
        return after
    }

    private func holds(_ text: String, in stage: ArchiveStage) throws -> Bool {
        try stage.files.contains { name in
            let bytes = Array(try Data(contentsOf: URL(filePath: stage.folder + "/" + name)))
            return bytes.firstRange(of: Array(text.utf8)) != nil
        }
    }

    @Test("it is erased for every reader at once, and in the file as soon as somebody works on the archive")
    func erased() async throws {
        try await ArchiveStage.with { stage in
            let before = try await stage.readings()
            try await stage.detach(through: 300)
            // 600 is kept: in a file, and still in its partition.
            _ = try await stage.archive { try await $0.archive(.through(600), unsealed: true) }
            let files = try stage.files
            #expect(try holds("payload 1-2", in: stage))
            try await erase([10, 400], in: stage)
            #expect(try await stage.readings() == expected(before, without: [10, 400]))
            #expect(try holds("payload 1-2", in: stage))
            #expect(try await stage.archive { try await $0.purge() } == 2)
            #expect(try !holds("payload 1-2", in: stage))
            #expect(try stage.files.count == files.count)
            #expect(try Set(stage.files).isDisjoint(with: files))
            #expect(try await stage.readings() == expected(before, without: [10, 400]))
            #expect(try await stage.archive { try await $0.purge() } == 0)
            for segment in try await stage.archive({ try await $0.segments() }) {
                try await stage.archive { try await $0.check(segment) }
            }
            // The partition and its file agree, so it may go.
            #expect(try await stage.detach(through: 600).map(\.state) == [.archived, .archived])
            #expect(try await stage.readings() == expected(before, without: [10, 400]))
        }
    }

    @Test(
        "a purge that dies after any step is completed by the next",
        arguments: [Archive.Step.written, .named, .announced]
    )
    func dies(step: Archive.Step) async throws {
        try await ArchiveStage.with { stage in
            let before = try await stage.readings()
            try await stage.detach(through: 600)
            try await erase([10], in: stage)
            await #expect(throws: ArchiveError.refused("killed")) {
                try await stage.archive { (now: Archive.Step) throws(ArchiveError) in
                    if now == step { throw .refused("killed") }
                } _: {
                    try await $0.purge()
                }
            }
            #expect(try await stage.readings() == expected(before, without: [10]))
            _ = try await stage.archive { try await $0.purge() }
            #expect(try !holds("payload 1-2", in: stage))
            #expect(try stage.files.count == 2)
            #expect(try await stage.readings() == expected(before, without: [10]))
        }
    }

    @Test("a file that was written before an erasure does not take the place of the rows")
    func between() async throws {
        try await ArchiveStage.with { stage in
            _ = try await stage.archive { try await $0.archive(.through(300), unsealed: true) }
            let owner = try await Connection.open(stage.database.owner)
            try await owner.run("SELECT log.erase(ARRAY[10]::bigint[])")
            // As if it had not been noted.
            try await owner.script("DELETE FROM log.segment_erasure")
            await owner.close()
            let error = await #expect(throws: ArchiveError.self) { try await stage.detach(through: 300) }
            #expect(error?.description.contains("differ at 10") == true)
            #expect(try await stage.partitions().first == "event_0")
        }
    }

    @Test("no folded state of its stream is kept again, by whoever still holds one")
    func keptAgain() async throws {
        try await ArchiveStage.with { stage in
            try await stage.detach(through: 300)
            let old = try await stage.log.read(after: 9, through: 10, matching: .everything, limit: 1).events
            let stream = try #require(old.first?.stream)
            let store = PostgresSnapshots(pool: stage.running.pool)
            let snapshot = Snapshot(version: 3, schemaVersion: 1, state: Array("{}".utf8))
            #expect(try await store.keep(snapshot, of: stream))
            let fact = event("erasure.done", #"{"position":10,"stream":"\#(stream.text)"}"#)
            let record = try #require(StreamName("erasure-10"))
            _ = try await PostgresEraser(pool: stage.running.pool).erase(
                Erasure(positions: [10]),
                recording: request([StreamWrite(record, expecting: .none, events: [fact])])
            )
            #expect(try await store.snapshot(of: stream) == nil)
            #expect(try await !store.keep(snapshot, of: stream))
            #expect(try await store.snapshot(of: stream) == nil)
            // Others of which nothing was erased are kept as before.
            let other = try #require(StreamName(stream.text == "a-0" ? "a-1" : "a-0"))
            #expect(try await store.keep(snapshot, of: other))
        }
    }

    @Test("a folded state that may hold what was erased goes, though nobody here knows its stream")
    func snapshots() async throws {
        try await ArchiveStage.with { stage in
            try await stage.detach(through: 300)
            let owner = try await Connection.open(stage.database.superuser)
            try await owner.script(
                """
                INSERT INTO log.snapshot (stream_id, version, schema_version, state)
                SELECT stream_id, 1, 1, '' FROM log.stream
                """
            )
            let count: SQL = "SELECT count(*) FROM log.snapshot"
            #expect(try await owner.run(count).value(Int64.self, row: 0, column: 0) == 9)
            try await owner.run("SELECT log.erase(ARRAY[1]::bigint[])")
            #expect(try await owner.run(count).value(Int64.self, row: 0, column: 0) == 8)
            await owner.close()
        }
    }
}
