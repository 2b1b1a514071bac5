import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import Audit

@Suite("Audit of the log")
struct LogAuditTests {
    @Test(
        "finds the row that was changed, and says where",
        arguments: [
            "actor = 'mallory'", "recorded_at = recorded_at + interval '1 microsecond'", "stream_id = 999",
            "schema_version = 2", "command_id = gen_random_uuid()", "correlation_id = gen_random_uuid()",
            "metadata = '{\"x\":1}'", "payload = '{\"a\":2}'", "salt = uuid_send(gen_random_uuid())",
            "payload_hash = sha256('')",
            "leaf = sha256('')", "org_id = 9", "event_id = gen_random_uuid()", "causation_id = gen_random_uuid()",
        ]
    )
    func changedRow(change: String) async throws {
        try await Sealing.with { sealing in
            try await seal(sealing, events: 6)
            if change.contains("stream_id") {
                try await sealing.tamper(
                    "INSERT INTO log.stream (stream_id, name, category, least_version) VALUES (999, 'thing-999', 'thing', 1)"
                )
            }
            try await sealing.tamper("UPDATE log.event SET \(change) WHERE position = 4")
            let report = try await sealing.audit.run(trusting: [sealing.key.verifier])
            #expect(!report.isGood)
            #expect(report.position == 4)
        }
    }

    @Test("finds a row whose hashes were made to fit, and one that is gone")
    func rewrittenRow() async throws {
        try await Sealing.with { sealing in
            try await seal(sealing, events: 6)
            try await sealing.tamper(
                """
                UPDATE log.event AS e
                   SET actor = 'mallory',
                       leaf = log.leaf(e.position, e.event_id, e.org_id, s.name, e.version, e.recorded_at, t.name,
                           e.schema_version, e.command_id, 'mallory', e.causation_id, e.correlation_id,
                           sha256(convert_to(e.metadata, 'UTF8')), e.payload_hash)
                  FROM log.stream AS s, log.event_type AS t
                 WHERE e.position = 4 AND s.stream_id = e.stream_id AND t.type_id = e.type_id
                """
            )
            let report = try await sealing.audit.run(trusting: [sealing.key.verifier])
            #expect(report.position == 4)
            #expect(report.trust == .authentic)
            // A proof of it cannot be had either.
            await #expect(throws: AuditError.self) { try await sealing.transparency.proof(at: 4) }
            #expect(try await sealing.transparency.proof(at: 3) != nil)
            try await sealing.tamper("DELETE FROM log.event WHERE position = 2")
            #expect(try await !sealing.audit.run().isGood)
        }
    }

    @Test("finds a changed tile, a changed checkpoint, and one that another key signed")
    func changedTree() async throws {
        try await Sealing.with { sealing in
            try await seal(sealing, events: 300)
            try await sealing.tamper(
                "UPDATE log.tile SET hashes = set_byte(hashes, 1, get_byte(hashes, 1) # 1) WHERE level = 1"
            )
            #expect(try await sealing.audit.run().position == 1)
            try await sealing.tamper(
                "UPDATE log.tile SET hashes = set_byte(hashes, 33, 7) WHERE level = 0 AND number = 1"
            )
            #expect(try await sealing.audit.run().position == 258)
        }
        try await Sealing.with { sealing in
            try await seal(sealing, events: 3)
            let mallory = try SigningKey(generatedFor: "example.com/log")
            let stranger = try await sealing.audit.run(trusting: [mallory.verifier])
            #expect(!stranger.isGood)
            let head = try await sealing.store.head()
            let forged = try Checkpoint(origin: "example.com/log", size: 3, root: .leaf([9])).signed(by: [sealing.key])
            try await sealing.store.publish(head, note: forged.encoded, vkeys: [])
            #expect(try await !sealing.audit.run(trusting: [sealing.key.verifier]).isGood)
        }
    }

    @Test("an erased payload breaks nothing, and a changed one beside it is still found")
    func erased() async throws {
        try await Sealing.with { sealing in
            try await seal(sealing, events: 6)
            let owner = try await Connection.open(sealing.database.owner)
            try await owner.run("SELECT log.erase(ARRAY[2, 5]::bigint[])")
            await owner.close()
            let report = try await sealing.audit.run(trusting: [sealing.key.verifier])
            #expect(report.isGood && report.erased == 2 && report.size == 6 && report.trust == .authentic)
            let proof = try #require(try await sealing.transparency.proof(at: 2))
            try proof.check(.leaf(try #require(proof.extra)), trusting: [sealing.key.verifier])
            try await sealing.tamper("UPDATE log.event SET payload = '{\"a\":2}' WHERE position = 3")
            #expect(try await sealing.audit.run().position == 3)
        }
    }

    @Test("looks at events beyond the checkpoint too, and says how far the checkpoint can be believed")
    func unsealed() async throws {
        try await Sealing.with { sealing in
            #expect(try await sealing.audit.run() == AuditReport(trust: .unsigned))
            try await seal(sealing, events: 3)
            try await sealing.write(2)
            let report = try await sealing.audit.run()
            #expect(report.isGood && report.unsealed == 2 && report.trust == .consistent)
            #expect(report.keys == [sealing.key.verifier.label])
            try await sealing.tamper("UPDATE log.event SET actor = 'mallory' WHERE position = 5")
            #expect(try await sealing.audit.run().position == 5)
        }
    }

    @Test("whoever kept a checkpoint is shown that the log only grew")
    func growth() async throws {
        try await Sealing.with { sealing in
            #expect(try await sealing.transparency.growth(since: 1) == nil)
            let lease = try await sealing.lease()
            try await sealing.write(5)
            try await sealing.sealer().turn(lease)
            let old = try #require(try await sealing.published())
            try await sealing.write(300)
            try await sealing.sealer().turn(lease)
            let proof = try #require(try await sealing.transparency.growth(since: 5))
            let read = try GrowthProof(proof.encoded.utf8)
            let new = try await sealing.published()
            #expect(try read.check(since: old, trusting: [sealing.key.verifier]) == new)
            let other = Checkpoint(origin: old.origin, size: 5, root: .empty)
            #expect(throws: NoteError.inconsistent(old: 5, new: 305)) {
                try read.check(since: other, trusting: [sealing.key.verifier])
            }
            #expect(try await sealing.transparency.growth(since: 306) == nil)
            #expect(try await sealing.transparency.growth(since: 0) == nil)
        }
    }

    @Test("a proof holds by itself, and discloses its own entry only")
    func proof() async throws {
        try await Sealing.with { sealing in
            try await seal(sealing, events: 5)
            try await sealing.write(1)
            #expect(try await sealing.transparency.proof(at: 6) == nil)
            #expect(try await sealing.transparency.proof(at: 0) == nil)
            for position in 1...5 as ClosedRange<Int64> {
                let proof = try #require(try await sealing.transparency.proof(at: position))
                let read = try LogProof(proof.encoded.utf8)
                let extra = try #require(read.extra)
                #expect(try read.check(.leaf(extra), trusting: [sealing.key.verifier]).size == 5)
                let entry = try #require(LeafEntry(extra))
                let event = try #require(try await sealing.running.log.stored(after: position - 1, limit: 1).first)
                #expect(entry.position == position && entry.event == event.event.id)
                #expect(entry.stream == "thing-1" && entry.version == position && entry.type == "thing.happened")
                #expect(entry.recordedAt == event.event.recordedAt && entry.actor == "system")
                #expect(entry.payloadHash == event.payloadHash)
            }
        }
    }

    private func seal(_ sealing: Sealing, events: Int) async throws {
        try await sealing.write(events)
        try await sealing.sealer().turn(try await sealing.lease())
    }
}
