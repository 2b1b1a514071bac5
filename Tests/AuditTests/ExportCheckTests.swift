import EventStore
import Kernel
import SignalboxTestKit
import Testing

@testable import Audit

@Suite("Archives")
struct TarTests {
    private static let moment = Timestamp(microseconds: 1_767_323_045_000_000)

    private func read(_ bytes: [UInt8]) throws -> [(name: String, bytes: [UInt8])] {
        var rest = bytes[...]
        let take = { (count: Int) in
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        var files: [(name: String, bytes: [UInt8])] = []
        while let file = try Tar.next(take) { files.append(file) }
        return files
    }

    @Test("give back what was put in, of any length", arguments: [0, 1, 511, 512, 513, 5000])
    func roundTrip(length: Int) throws {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        let archive = Tar.file("a/b", bytes, at: Self.moment) + Tar.file("c", [], at: Self.moment) + Tar.end
        #expect(archive.count % 512 == 0)
        let files = try read(archive)
        #expect(files.map(\.name) == ["a/b", "c"] && files[0].bytes == bytes && files[1].bytes.isEmpty)
    }

    @Test("that are cut off or damaged are not read")
    func damage() throws {
        let archive = Tar.file("a", Array("text".utf8), at: Self.moment) + Tar.end
        for length in [0, 100, 512, 514, 1024] {
            #expect(throws: Tar.Failure.cut) { try read(Array(archive.prefix(length))) }
        }
        for place in [0, 124, 148, 156] {
            var damaged = archive
            damaged[place] ^= 1
            #expect(throws: Tar.Failure.damaged, "\(place)") { try read(damaged) }
        }
    }
}

@Suite("Exports of an organization, checked without the plane")
struct ExportCheckTests {
    /// The files of an export, in their order.
    private typealias Files = [(name: String, bytes: [UInt8])]

    private static func line(_ stored: StoredEvent) throws -> JSONValue {
        let event = stored.event
        let payload = String(decoding: event.payload ?? [], as: UTF8.self)
        let kept: JSONValue = ["salt": .string(Hex.text(stored.salt ?? [])), "payload": .string(payload)]
        return [
            "position": .integer(event.position), "id": .string("\(event.id)"), "stream": .string(event.stream.text),
            "version": .integer(event.version), "type": .string(event.type),
            "schemaVersion": .integer(Int64(event.schemaVersion)), "recordedAt": .string("\(event.recordedAt)"),
            "organizationId": event.organization.map { .string("\($0)") } ?? .null, "actor": .string(event.actor),
            "commandId": .string("\(event.command)"),
            "data": event.payload == nil ? ["erased": true] : ["name": "Acme", "box": ["sealed": true]],
            "stored": event.payload == nil ? .null : kept,
        ]
    }

    /// An export of three events of an organization, one of them erased, and the key that signed.
    private func export(_ sealing: Sealing) async throws -> Files {
        let stream = try #require(StreamName("thing-1"))
        let payload = Array(#"{"name":"Acme","box":{"subject":"user-1","box":"AA"}}"#.utf8)
        for _ in 0..<3 {
            let event = NewEvent(id: IDSource.system.unique(), type: "thing.happened", payload: payload)
            let write = StreamWrite(stream, organization: OrganizationID(7), expecting: .any, events: [event])
            let causation = Causation(actor: "system", command: IDSource.system.unique())
            _ = try await sealing.running.log.append(AppendRequest(causation: causation, writes: [write]))
        }
        try await sealing.tamper("UPDATE log.event SET payload = NULL, salt = NULL WHERE position = 2")
        let lease = try await sealing.lease()
        try await sealing.sealer().turn(lease)
        var (lines, proofs): ([JSONValue], Files) = ([], [])
        for position in 1...3 as ClosedRange<Int64> {
            let stored = try #require(try await sealing.transparency.stored(at: position))
            let proof = try #require(try await sealing.transparency.proof(of: stored))
            lines.append(try Self.line(stored))
            proofs.append(("proofs/\(position).tlog-proof", Array(proof.encoded.utf8)))
        }
        let manifest: JSONValue = [
            "organizationId": "7", "position": 3, "events": 3, "unproven": 0,
        ]
        return [("vkey", Array("\(sealing.key.verifier)\n".utf8)), ("events/1.ndjson", try Self.text(lines))] + proofs
            + [("manifest.json", try JSON.encode(manifest))]
    }

    private static func text(_ lines: [JSONValue]) throws -> [UInt8] {
        try lines.flatMap { try JSON.encode($0) + [UInt8(ascii: "\n")] }
    }

    private func check(_ files: Files, trusting keys: [VerifierKey]? = nil) throws -> ExportCheck.Report {
        var check = ExportCheck(trusting: keys)
        for file in files { try check.take(file.name, file.bytes) }
        return try check.finish()
    }

    @Test("hold with the key of the log, and by themselves are only consistent")
    func holds() async throws {
        try await Sealing.with { sealing in
            let files = try await export(sealing)
            let report = try check(files, trusting: [sealing.key.verifier])
            #expect(report.trust == "authentic" && report.events == 3 && report.unproven == 0 && report.erased == 1)
            #expect(report.organizationId == "7" && report.size == 3)
            #expect(try check(files).trust == "consistent")
            let other = try SigningKey(generatedFor: "example.com/log").verifier
            #expect(throws: ExportCheck.Failure.self) { try check(files, trusting: [other]) }
        }
    }

    @Test("do not when anything in them was changed, or is missing")
    func tampered() async throws {
        try await Sealing.with { sealing in
            let (files, key) = (try await export(sealing), sealing.key.verifier)
            func expectRefusal(_ changed: Files, _ what: String) {
                #expect(throws: ExportCheck.Failure.self, "\(what)") { try check(changed, trusting: [key]) }
            }
            for (text, other) in [
                (#""actor":"system""#, #""actor":"mallory""#), (#""name":"Acme""#, #""name":"Emca""#),
                (#"\"Acme\""#, #"\"Emca\""#), (#""type":"thing.happened""#, #""type":"thing.unhappened""#),
                (#""data":{"erased":true}"#, #""data":{"name":"Acme"}"#),
                (#""box":{"sealed":true}"#, #""box":{"opened":true}"#), (#""position":2"#, #""position":7"#),
                (#""organizationId":"7""#, #""organizationId":"8""#),
                (#""name":"Acme""#, #""name":{"sealed":true}"#),
            ] {
                var changed = files
                let lines = String(decoding: files[1].bytes, as: UTF8.self)
                #expect(lines.contains(text), "\(text)")
                changed[1].bytes = Array(lines.replacing(text, with: other).utf8)
                expectRefusal(changed, other)
            }
            for index in files.indices where index > 0 {
                var changed = files
                changed.remove(at: index)
                expectRefusal(changed, "without \(files[index].name)")
            }
            expectRefusal(files + [files[1]], "with more after the manifest")
            var moved = files
            moved[2].bytes = files[3].bytes
            expectRefusal(moved, "with the proof of another event")
        }
    }
}
