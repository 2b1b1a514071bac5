import EventStore
import Glibc
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import Audit

@Suite("Sealing after an incident")
struct IncidentTests {
    @Test("a database that was put back to an older state is not signed, however much is written to it")
    func restored() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            try await sealing.write(5)
            try await sealing.sealer().turn(lease)
            try await sealing.tamper(Backup.take)
            try await sealing.write(5)
            try await sealing.sealer().turn(lease)
            let signed = try #require(try await sealing.published())
            try await sealing.tamper(Backup.restore)
            try await withLog(in: sealing.database) { fresh in
                let refusal = AuditError.refused(.ahead(outside: 10, here: 5))
                let sealer = sealing.sealer(log: fresh.log)
                await #expect(throws: refusal) { try await sealer.turn(lease) }
                // Other events at positions that were signed before.
                try await sealing.write(20, to: fresh.log)
                await #expect(throws: refusal) { try await sealer.turn(lease) }
                #expect(try await sealing.store.head().size == 5)
                #expect(try sealing.folder.newest() == signed)
                let report = try await LogAudit(store: sealing.store, log: fresh.log, folder: sealing.folder).run()
                #expect(!report.isGood)
            }
        }
    }

    @Test("a new epoch has a name, a tree and a key id of its own, and keeps the last checkpoint of the old one")
    func epoch() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            try await sealing.write(5)
            try await sealing.tamper(Backup.take)
            try await sealing.write(5)
            try await sealing.sealer().turn(lease)
            let lost = try #require(Folder.text(sealing.folder.path + "/checkpoint"))
            try await sealing.tamper(Backup.restore)
            let owner = try await Connection.open(sealing.database.owner)
            #expect(try await owner.run("SELECT log.start_epoch(2)").decode(0, Bool.self))
            // Only once, and nobody but the owner.
            #expect(try await !owner.run("SELECT log.start_epoch(2)").decode(0, Bool.self))
            await owner.close()
            let application = try await Connection.open(sealing.database.application, role: "signalbox_append")
            await #expect(throws: PostgresError.self) { try await application.run("SELECT log.start_epoch(3)") }
            await application.close()
            try await withLog(in: sealing.database) { fresh in
                try await sealing.write(2, to: fresh.log)
                #expect(try await sealing.sealer(log: fresh.log).turn(lease).size == 7)
                let note = try SignedNote(try #require(try await sealing.transparency.checkpoint()).utf8)
                #expect(throws: NoteError.self) { try Checkpoint(note, trusting: [sealing.key.verifier]) }
                let renamed = try sealing.key.renamed("example.com/log/epoch-2").verifier
                #expect(try Checkpoint(note, trusting: [renamed]).size == 7)
                #expect(Folder.text(sealing.folder.path + "/checkpoint.epoch-1") == lost)
                let audit = LogAudit(store: sealing.store, log: fresh.log, folder: sealing.folder)
                #expect(try await audit.run(trusting: [renamed]).isGood)
            }
        }
    }

    @Test("a kept checkpoint of another root, of a later epoch or of another log stops the signing")
    func foreign() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            try await sealing.write(5)
            try await sealing.sealer().turn(lease)
            try await sealing.write(5)
            let file = sealing.folder.path + "/checkpoint"
            let cases: [(String, Int64, SealingRefusal)] = [
                ("example.com/log", 5, .forked(size: 5)), ("example.com/log", 3, .forked(size: 3)),
                ("example.com/log/epoch-4", 3, .laterEpoch(outside: 4, here: 1)),
                ("example.org/log", 3, .otherLog("example.org/log")),
            ]
            for (origin, size, refusal) in cases {
                let note = try Checkpoint(origin: origin, size: size, root: .leaf([1])).signed(by: [sealing.key])
                try Folder.write(note.encoded.utf8, to: file)
                await #expect(throws: AuditError.refused(refusal)) { try await sealing.sealer().turn(lease) }
                #expect(Folder.text(file) == note.encoded)
            }
            try Folder.write("nonsense".utf8, to: file)
            await #expect(throws: AuditError.refused(.unreadable(file))) { try await sealing.sealer().turn(lease) }
            #expect(try await sealing.store.head().size == 5)
        }
    }

    @Test("a folder that was emptied or put back stops the signing: a restored log could not be told from a whole one")
    func emptied() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            let file = sealing.folder.path + "/checkpoint"
            try await sealing.write(5)
            try await sealing.sealer().turn(lease)
            let old = try #require(Folder.text(file))
            try await sealing.write(5)
            try await sealing.sealer().turn(lease)
            let newest = try #require(Folder.text(file))
            try await sealing.write(1)
            unlink(file)
            await #expect(throws: AuditError.refused(.folderBehind(outside: 0, signed: 10))) {
                try await sealing.sealer().turn(lease)
            }
            #expect(Folder.text(file) == nil)
            try Folder.write(old.utf8, to: file)
            let refusal = SealingRefusal.folderBehind(outside: 5, signed: 10)
            await #expect(throws: AuditError.refused(refusal)) { try await sealing.sealer().turn(lease) }
            #expect(refusal.description.contains("signalbox audit new-epoch"))
            #expect(try await sealing.published()?.size == 10)
            // What was published is as good as what was kept.
            try Folder.write(newest.utf8, to: file)
            #expect(try await sealing.sealer().turn(lease).size == 11)
        }
    }

    @Test("a new epoch begins with an empty folder, and from its first checkpoint on needs it")
    func emptiedEpoch() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            let file = sealing.folder.path + "/checkpoint"
            try await sealing.write(5)
            try await sealing.sealer().turn(lease)
            let first = try #require(Folder.text(file))
            unlink(file)
            let owner = try await Connection.open(sealing.database.owner)
            #expect(try await owner.run("SELECT log.start_epoch(2)").decode(0, Bool.self))
            await owner.close()
            #expect(try await sealing.sealer().turn(lease).size == 5)
            try await sealing.write(1)
            // One of an earlier epoch is not one of this.
            try Folder.write(first.utf8, to: file)
            await #expect(throws: AuditError.refused(.folderBehind(outside: 0, signed: 5))) {
                try await sealing.sealer().turn(lease)
            }
        }
    }

    @Test("a folder that is not there, and a note that is no checkpoint, are not taken for an empty folder")
    func noFolder() async throws {
        #expect(throws: AuditError.self) { try CheckpointFolder("/nowhere/at/all").newest() }
        let key = try SigningKey(generatedFor: "example.com/log")
        try await Folder.with { path in
            let note = try SignedNote(signing: "no checkpoint\n", with: [key])
            let file = path + "/checkpoint"
            try Folder.write(note.encoded.utf8, to: file)
            #expect(throws: AuditError.refused(.unreadable(file))) { try CheckpointFolder(path).newest() }
        }
    }

    @Test(
        "a folder that changes under the sealer's hands stops it at the next step",
        arguments: [SealStep.sealed, .signed]
    )
    func changing(after step: SealStep) async throws {
        var cases: [(String, Int64, SealingRefusal)] = [
            ("example.com/log", 99, .ahead(outside: 99, here: 10)),
            ("example.com/log/epoch-4", 3, .laterEpoch(outside: 4, here: 1)),
            ("example.org/log", 3, .otherLog("example.org/log")),
        ]
        if step == .sealed { cases.append(("example.com/log", 3, .forked(size: 3))) }
        for (origin, size, refusal) in cases {
            try await Sealing.with { sealing in
                let lease = try await sealing.lease()
                try await sealing.write(5)
                try await sealing.sealer().turn(lease)
                try await sealing.write(5)
                let note = try Checkpoint(origin: origin, size: size, root: .leaf([1])).signed(by: [sealing.key])
                let file = sealing.folder.path + "/checkpoint"
                let sealer = sealing.sealer { (reached: SealStep) async throws(AuditError) in
                    guard reached == step else { return }
                    do { try Folder.write(note.encoded.utf8, to: file) } catch { throw .unavailable("\(error)") }
                }
                await #expect(throws: AuditError.refused(refusal)) { try await sealer.turn(lease) }
                #expect(Folder.text(file) == note.encoded)
                #expect(try await sealing.published()?.size == 5)
            }
        }
    }

    @Test("what goes from the database meanwhile is neither sealed over nor called published")
    func gone() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            try await sealing.write(3)
            let sealer = sealing.sealer { (reached: SealStep) async throws(AuditError) in
                guard reached == .kept else { return }
                do { try await sealing.tamper("DELETE FROM log.checkpoint") } catch { throw .unavailable("\(error)") }
            }
            await #expect(throws: AuditError.violated("the checkpoint of 3 events is gone")) {
                try await sealer.turn(lease)
            }
        }
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            try await sealing.write(3)
            try await sealing.sealer().turn(lease)
            try await sealing.write(3)
            try await sealing.tamper("DELETE FROM log.event WHERE position = 5")
            await #expect(throws: AuditError.violated("an event after position 3 has no leaf")) {
                try await sealing.sealer().turn(lease)
            }
            #expect(try await sealing.store.head().size == 3)
        }
    }

    @Test("tiles that do not make the last checkpoint are not built upon")
    func tiles() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            try await sealing.write(5)
            try await sealing.sealer().turn(lease)
            try await sealing.write(1)
            for change in [
                "UPDATE log.tile SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1)", "DELETE FROM log.tile",
            ] {
                try await sealing.tamper(change)
                await #expect(throws: AuditError.refused(.tilesChanged(size: 5))) {
                    try await sealing.sealer().turn(lease)
                }
            }
            #expect(try await sealing.published()?.size == 5)
        }
    }

    @Test("the database itself refuses to rewrite a tile")
    func rewriting() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            try await sealing.write(2)
            let head = try await sealing.sealer().turn(lease)
            var edge = TreeEdge()
            for byte in 0..<3 as Range<UInt8> { _ = edge.append(.leaf([byte])) }
            let other = edge
            await #expect(throws: AuditError.self) {
                try await sealing.store.seal(
                    head,
                    other,
                    full: [],
                    stream: lease.stream.text,
                    fence: lease.fence
                )
            }
            #expect(try await sealing.store.head() == sealing.store.head(signed: true))
        }
    }

    @Test("of the checkpoints of one hour the last is kept")
    func thinning() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            for _ in 0..<3 {
                try await sealing.write(1)
                try await sealing.sealer().turn(lease)
            }
            try await sealing.tamper("UPDATE log.checkpoint SET sealed_at = sealed_at - interval '2 hours'")
            for _ in 0..<4 {
                try await sealing.write(1)
                try await sealing.sealer().turn(lease)
            }
            let sizes = try await sealing.running.pool.with { connection throws(PostgresError) in
                try connection.run("SELECT size FROM log.checkpoint ORDER BY size").column(Int64.self)
            }
            #expect(sizes == [3, 6, 7])
        }
    }
}
