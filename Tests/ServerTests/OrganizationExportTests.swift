import Audit
import Commands
import Domain
import EventStore
import HTTPTypes
import Kernel
@testable import Server
import SignalboxTestKit
import Testing

@Suite("The export of an organization")
struct OrganizationExportTests {
    /// A log that is not signed: payloads can be had, and no proofs.
    private func stage() async throws -> Stage {
        var stage = try await Stage()
        let log = stage.log
        stage.backend.audit.checkpoint = { () throws(AuditDoor.Failure) in nil }
        stage.backend.audit.signers = { () throws(AuditDoor.Failure) in [] }
        stage.backend.audit.kept = { position throws(AuditDoor.Failure) in
            do {
                let page = try await log.read(after: position - 1, through: position, matching: .everything, limit: 1)
                guard let event = page.events.first else { return nil }
                let salt = event.payload.map { _ in [UInt8](repeating: 7, count: 16) }
                return KeptEvent(salt: salt, payload: event.payload, proof: nil)
            } catch { throw .unavailable }
        }
        return stage
    }

    private func files(_ archive: String) throws -> [(name: String, bytes: [UInt8])] {
        var rest = Array(archive.utf8)[...]
        var files: [(name: String, bytes: [UInt8])] = []
        while let file = try Tar.next({ count in
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }) {
            files.append(file)
        }
        return files
    }

    private func lines(_ name: String, _ files: [(name: String, bytes: [UInt8])]) throws -> [JSONValue] {
        try files.filter { $0.name.hasPrefix(name) }.flatMap { file in
            try file.bytes.split(separator: UInt8(ascii: "\n")).map { try JSON.decode(JSONValue.self, from: Array($0)) }
        }
    }

    @Test("has all its events and all that read models say of it, and nothing of others")
    func whole() async throws {
        let stage = try await stage()
        let made = try await stage.onboard("acme")
        let foreign = try await stage.onboard("other", as: stage.bob)
        let id = try #require(made.json["organization"]?["id"]?.string)
        let reply = try await stage.send(.get, "/v1/organizations/\(id)/export", as: stage.ana)
        #expect(reply.status == .ok && reply.headers[.contentType] == "application/x-tar")
        #expect(reply.headers[.contentDisposition] == "attachment; filename=\"organization-\(id).tar\"")
        let files = try files(reply.text)
        #expect(files.first?.name == "README" && files.last?.name == "manifest.json")
        let events = try lines("events/", files)
        #expect(
            events.compactMap { $0["type"]?.string }
                == ["organization.created", "subscription.requested", "instance.requested"]
        )
        #expect(events.allSatisfy { $0["organizationId"]?.string == id && $0["stored"]?["payload"]?.string != nil })
        #expect(try lines("models/instances", files).map { $0["id"] } == [made.json["instance"]?["id"]])
        #expect(try lines("models/members", files).map { $0["userId"]?.string } == [stage.anaID.description])
        #expect(try lines("models/operations", files).map { $0["id"] } == [made.json["operation"]?["id"]])
        #expect(try lines("models/subscriptions", files).count == 1)
        let other = try #require(foreign.json["organization"]?["id"]?.string)
        #expect(!reply.text.contains(other))
        var check = ExportCheck()
        for file in files { try check.take(file.name, file.bytes) }
        let report = try check.finish()
        #expect(report.events == 3 && report.unproven == 3 && report.organizationId == id)
    }

    @Test("what was erased stays so")
    func erased() async throws {
        let stage = try await stage()
        let made = try await stage.onboard("acme")
        let id = try #require(made.json["organization"]?["id"]?.string)
        let position = try #require(made.headers[.logPosition].flatMap { Int64($0) })
        #expect(try await stage.send(.get, "/v1/organizations/\(id)/export", as: stage.ana).text.contains("Acme"))
        let body = #"{"positions":[\#(position)],"reason":"asked for"}"#
        let erasure = try await stage.send(.post, "/v1/admin/erasures", as: stage.operatorKey, body: body)
        #expect(erasure.status.kind == .successful, "\(erasure.text)")
        let events = try lines(
            "events/",
            files(try await stage.send(.get, "/v1/organizations/\(id)/export", as: stage.auditorKey).text)
        )
        let gone = try #require(events.first { $0["position"]?.integer == position })
        #expect(gone["data"] == ["erased": true] && gone["stored"] == .null)
        #expect(events.allSatisfy { $0 == gone || $0["stored"]?["payload"]?.string != nil })
    }

    @Test("is a problem, and no archive, when the log cannot be asked")
    func unavailable() async throws {
        var stage = try await stage()
        let made = try await stage.onboard("acme")
        let id = try #require(made.json["organization"]?["id"]?.string)
        stage.backend.events.export = { _, _, _ throws(EventDoor.Failure) in throw .unavailable }
        let reply = try await stage.send(.get, "/v1/organizations/\(id)/export", as: stage.ana)
        #expect(reply.problem == "unavailable")
    }
}
