import HTTPTypes
import Kernel
import Testing

@testable import Server

@Suite("The transparency log over HTTP")
struct AuditRouteTests {
    private static let note = "example.com/log\n3\nAAA=\n\n— example.com/log AAAA\n"

    private func stage() async throws -> Stage {
        var stage = try await Stage()
        stage.backend.audit.checkpoint = { () throws(AuditDoor.Failure) in Self.note }
        stage.backend.audit.tile = { path throws(AuditDoor.Failure) in
            ["tile/0/000.p/3", "tile/1/x001/x234/067"].contains(path) ? [0, 1, 0xFF] : nil
        }
        stage.backend.audit.entries = { path throws(AuditDoor.Failure) in
            path == "tile/entries/x001/000" ? [0, 1, 7] : nil
        }
        stage.backend.audit.signers = { () throws(AuditDoor.Failure) in
            [
                SignerView(vkey: "example.com/log+1+A", epoch: 1, firstSize: 1, lastSize: 2, current: false),
                SignerView(vkey: "example.com/log+2+B", epoch: 1, firstSize: 2, lastSize: 3, current: true),
            ]
        }
        stage.backend.audit.proof = { position throws(AuditDoor.Failure) in
            position == 1 ? nil : "proof of \(position)\n"
        }
        return stage
    }

    @Test("anybody may have the checkpoint, the keys and the tiles")
    func open() async throws {
        let stage = try await stage()
        let checkpoint = try await stage.send(.get, "/audit/checkpoint")
        #expect(checkpoint.status == .ok && checkpoint.text == Self.note)
        #expect(checkpoint.headers[.contentType] == "text/plain; charset=utf-8")
        #expect(try await stage.send(.get, "/audit/vkey").text == "example.com/log+2+B\n")
        let keys = try await stage.send(.get, "/audit/vkeys").json["data"]?.array
        #expect(keys?.count == 2 && keys?.first?["firstSize"] == 1 && keys?.first?["current"] == false)
        for path in ["/audit/tile/0/000.p/3", "/audit/tile/1/x001/x234/067"] {
            let tile = try await stage.send(.get, path)
            #expect(tile.status == .ok, "\(path)")
            #expect(tile.headers[.contentType] == "application/octet-stream")
        }
        #expect(try await stage.send(.get, "/audit/tile/0/999").problem == "not-found")
        #expect(try await stage.send(.get, "/audit/tile/0").problem == "route-unknown")
    }

    @Test("entries are for those who run the plane and its auditors")
    func entries() async throws {
        let stage = try await stage()
        let path = "/audit/tile/entries/x001/000"
        #expect(try await stage.send(.get, path).status == .unauthorized)
        #expect(try await stage.send(.get, path, as: stage.ana).status == .forbidden)
        #expect(try await stage.send(.get, path, as: stage.auditorKey).status == .ok)
        #expect(try await stage.send(.get, path, as: stage.operatorKey).status == .ok)
        #expect(try await stage.send(.get, "/audit/tile/entries/001", as: stage.auditorKey).problem == "not-found")
    }

    @Test("a proof is for auditors, and for an organization of its own events")
    func proofs() async throws {
        let stage = try await stage()
        try await stage.onboard("acme")
        let own = try await stage.size
        let path = "/v1/events/\(own)/proof"
        #expect(try await stage.send(.get, path).status == .unauthorized)
        #expect(try await stage.send(.get, path, as: stage.ana).text == "proof of \(own)\n")
        #expect(try await stage.send(.get, path, as: stage.auditorKey).status == .ok)
        // To others the event does not exist, and an event of nobody is for the platform alone.
        #expect(try await stage.send(.get, path, as: stage.bob).status == .notFound)
        #expect(try await stage.send(.get, "/v1/events/2/proof", as: stage.ana).problem == "not-found")
        #expect(try await stage.send(.get, "/v1/events/2/proof", as: stage.auditorKey).status == .ok)
        #expect(try await stage.send(.get, "/v1/events/999/proof", as: stage.auditorKey).problem == "not-found")
        #expect(try await stage.send(.get, "/v1/events/0/proof", as: stage.auditorKey).problem == "not-found")
    }

    @Test("what is not sealed yet says so")
    func notSealed() async throws {
        var stage = try await stage()
        let early = try await stage.send(.get, "/v1/events/1/proof", as: stage.auditorKey)
        #expect(early.status == .notFound && early.problem == "not-sealed" && early.headers[.retryAfter] == "1")
        stage.backend.audit.checkpoint = { () throws(AuditDoor.Failure) in nil }
        stage.backend.audit.signers = { () throws(AuditDoor.Failure) in [] }
        #expect(try await stage.send(.get, "/audit/checkpoint").problem == "not-sealed")
        #expect(try await stage.send(.get, "/audit/vkey").problem == "not-sealed")
    }

    @Test("a log that is not what was sealed is an error of ours, without a detail")
    func broken() async throws {
        var stage = try await stage()
        stage.backend.audit.proof = { _ throws(AuditDoor.Failure) in throw .broken("secret") }
        let reply = try await stage.send(.get, "/v1/events/2/proof", as: stage.auditorKey)
        #expect(reply.status == .internalServerError && !reply.text.contains("secret"))
    }
}
