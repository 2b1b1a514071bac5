import Kernel
import Postgres
import SignalboxTestKit
import Synchronization
import Testing

@testable import EventStore

@Suite("Archive")
struct ArchiveTests {
    @Test("what was archived and dropped is read as before, in every way there is, and the log goes on")
    func same() async throws {
        try await ArchiveStage.with { stage in
            let before = try await stage.readings()
            #expect(before.rows.count == 700)
            let segments = try await stage.detach(through: 699)
            #expect(segments.map(\.first) == [1, 301])
            #expect(segments.map(\.last) == [300, 600])
            #expect(segments.allSatisfy { $0.state == .archived })
            #expect(try stage.files == segments.map(\.file).sorted())
            #expect(try await stage.partitions() == ["event_2", "event_3", "event_4"])
            #expect(try await stage.readings() == before)
            let appended = try await stage.log.append(
                request("a-1", .version(Int64(before.streams[2].count)), events: 2)
            )
            #expect(appended.firstPosition == 701)
            #expect(try await stage.log.read(stream("a-1"), after: 0, limit: 999).count == before.streams[2].count + 2)
        }
    }

    @Test("a partition is archived when it is full, has a successor, and lies within what was asked for")
    func extent() async throws {
        try await ArchiveStage.with(events: 595) { stage in
            try await stage.archive { archive in
                #expect(try await archive.archive(.through(299), unsealed: true).isEmpty)
                // 5 more and the second partition is full, but the newest event is in it.
                _ = try await stage.log.append(request("a-1", .any, events: 5))
                #expect(try await archive.archive(.through(9999), unsealed: true).map(\.last) == [300])
                #expect(try await archive.archive(.olderThan(.seconds(3600)), unsealed: true).isEmpty)
                _ = try await stage.log.append(request("a-1", .any, events: 1))
                let kept = try await archive.archive(.olderThan(.zero), unsealed: true)
                #expect(kept.map(\.last) == [300, 600])
                #expect(kept.map(\.state) == [.kept, .kept])
                #expect(try await stage.partitions().first == "event_0")
            }
        }
    }

    @Test("what is not sealed is archived only when that is said")
    func sealed() async throws {
        try await ArchiveStage.with(events: 350) { stage in
            try await stage.archive { archive in
                let error = await #expect(throws: ArchiveError.self) { try await archive.archive(.through(300)) }
                #expect(error?.description.contains("sealed up to 0, and not up to 300") == true)
            }
            #expect(try stage.files.isEmpty)
            let owner = try await Connection.open(stage.database.owner)
            // A checkpoint that was not signed, or of another epoch, does not count.
            try await owner.script(
                """
                INSERT INTO log.checkpoint (epoch, size, root, sealed_at, note, signed_at)
                VALUES (1, 300, sha256(''), now(), NULL, NULL), (2, 300, sha256(''), now(), 'note', now())
                """
            )
            await #expect(throws: ArchiveError.self) {
                try await stage.archive { try await $0.archive(.through(300)) }
            }
            try await owner.script("UPDATE log.checkpoint SET note = 'note', signed_at = now() WHERE epoch = 1")
            await owner.close()
            #expect(try await stage.archive { try await $0.archive(.through(300)) }.map(\.last) == [300])
        }
    }

    @Test(
        "a run that dies after any step is completed by the next, and readers notice neither",
        arguments: Archive.Step.allCases
    )
    func dies(step: Archive.Step) async throws {
        try await ArchiveStage.with { stage in
            let before = try await stage.readings()
            let hasDied = Mutex(false)
            await #expect(throws: ArchiveError.refused("killed")) {
                try await stage.archive { (now: Archive.Step) throws(ArchiveError) in
                    guard now == step else { return }
                    hasDied.withLock { $0 = true }
                    throw .refused("killed")
                } _: {
                    try await $0.archive(.through(600), detach: true, unsealed: true)
                }
            }
            #expect(hasDied.withLock { $0 })
            #expect(try await stage.readings() == before)
            let segments = try await stage.detach(through: 600)
            #expect(segments.map(\.state) == [.archived, .archived])
            #expect(try stage.files == segments.map(\.file).sorted())
            #expect(try await stage.partitions() == ["event_2", "event_3", "event_4"])
            #expect(try await stage.readings() == before)
        }
    }

    @Test("a partition that was left half-way out, because somebody still used it, is taken out by the next run")
    func pending() async throws {
        try await ArchiveStage.with { stage in
            let before = try await stage.readings()
            let reader = try await Connection.open(stage.database.application, role: "signalbox_audit")
            try await reader.script("BEGIN; SELECT count(*) FROM log.event")
            await #expect(throws: ArchiveError.self) {
                let connection = try await Connection.open(
                    stage.database.owner,
                    limits: SessionLimits(statement: .milliseconds(500))
                )
                _ = try await Archive(connection: connection, folder: stage.folder)
                    .archive(.through(300), detach: true, unsealed: true)
            }
            #expect(try await stage.readings() == before)
            // Nobody who appends waits for it.
            _ = try await stage.log.append(request("a-1", .any))
            await reader.close()
            try await stage.detach(through: 300)
            #expect(try await stage.partitions().first == "event_1")
            #expect(
                try await stage.log.read(after: 0, through: 300, matching: .everything, limit: 300).events.count == 300
            )
        }
    }

    @Test("all the files are kept in one folder")
    func oneFolder() async throws {
        try await ArchiveStage.with { stage in
            try await stage.detach(through: 300)
            try await withFolder { other in
                let error = await #expect(throws: ArchiveError.self) {
                    try await stage.archive(in: other) { try await $0.archive(.through(600), unsealed: true) }
                }
                #expect(error?.description.contains(other) == true)
            }
        }
    }

    @Test("a reader without the folder or the file is told so, and skips nothing")
    func missing() async throws {
        try await ArchiveStage.with { stage in
            let segment = try #require(try await stage.detach(through: 300).first)
            let blind = PostgresLog.reader(pool: stage.running.pool)
            let lost = PostgresLog.reader(pool: stage.running.pool, archive: stage.folder + "/nowhere")
            for (log, word) in [(blind, "SIGNALBOX_ARCHIVE"), (lost, segment.file)] {
                for filter in [.everything, EventFilter(types: ["thing.number-3"])] as [EventFilter] {
                    let error = await #expect(throws: LogError.self) {
                        try await log.read(after: 299, through: nil, matching: filter, limit: 100)
                    }
                    #expect("\(String(describing: error))".contains(word))
                    // What is in the database needs no archive.
                    #expect(try await log.read(after: 300, through: nil, matching: filter, limit: 100).scannedTo >= 400)
                }
                let error = await #expect(throws: LogError.self) {
                    try await log.read(stream("a-1"), after: 0, limit: 10)
                }
                #expect("\(String(describing: error))".contains(word))
                await #expect(throws: LogError.self) { try await log.stored(after: 0, limit: 10) }
                await #expect(throws: LogError.self) { try await log.leaf(at: 300) }
                #expect(try await log.read(stream("a-new"), after: 0, limit: 10).isEmpty)
            }
        }
    }

    @Test("a stream that lost its events altogether is a violation, not an empty stream")
    func lostStream() async throws {
        try await ArchiveStage.with { stage in
            let vandal = try await Connection.open(stage.database.superuser)
            try await vandal.script("SET session_replication_role = replica; DELETE FROM log.event")
            await vandal.close()
            let error = await #expect(throws: LogError.self) {
                try await stage.log.read(stream("a-1"), after: 0, limit: 10)
            }
            #expect(error == .violated("a-1 has a hole after version 0"))
        }
    }
}
