internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel

/// The transparency log in the formats of C2SP: tlog-checkpoint, tlog-tiles, signed-note and tlog-proof.
extension API {
    var auditRoutes: [Route] {
        [
            Route(
                .get,
                "/audit/checkpoint",
                "showCheckpoint",
                "The newest signed checkpoint of the log.",
                access: .open,
                success: .init(.ok, .text, type: Self.plain),
                handler: checkpoint
            ),
            Route(
                .get,
                "/audit/vkey",
                "showVerifierKey",
                "The keys that signed the newest checkpoint, one on each line.",
                access: .open,
                success: .init(.ok, .text, type: Self.plain),
                handler: verifierKey
            ),
            Route(
                .get,
                "/audit/vkeys",
                "listVerifierKeys",
                "Every key that has signed a checkpoint, and the sizes of the first and the last of them.",
                access: .open,
                success: .init(.ok, .named("VerifierKeys")),
                handler: verifierKeys
            ),
            Route(
                .get,
                "/audit/tile/{level}/{path}",
                "showTile",
                "Hashes of the tree; the path has slashes, as in x001/x234/067.p/8.",
                access: .open,
                success: .init(.ok, .text, type: Self.binary),
                handler: tile
            ),
            Route(
                .get,
                "/audit/tile/entries/{path}",
                "showEntries",
                "Entries of the log without their payloads; the path has slashes, as in x001/x234/067.p/8.",
                access: .platform,
                success: .init(.ok, .text, type: Self.binary),
                handler: entries
            ),
            Route(
                .get,
                "/v1/events/{position}/proof",
                "proveEvent",
                "A proof that the event is in the log, which holds by itself; it discloses nothing of other events.",
                access: .scope(.read),
                success: .init(.ok, .text, type: Self.plain),
                handler: proof
            ),
        ]
    }

    static let plain = "text/plain; charset=utf-8"
    private static let binary = "application/octet-stream"

    private func checkpoint(_ call: Call) async throws(Problem) -> Answer {
        let found = try await ask { () throws(AuditDoor.Failure) in try await backend.audit.checkpoint() }
        guard let note = found else { throw .notSealed }
        return .text(note, type: Self.plain)
    }

    private func verifierKey(_ call: Call) async throws(Problem) -> Answer {
        let signers = try await ask { () throws(AuditDoor.Failure) in try await backend.audit.signers() }
        let keys = signers.filter(\.current).map { $0.vkey + "\n" }.joined()
        guard !keys.isEmpty else { throw .notSealed }
        return .text(keys, type: Self.plain)
    }

    private func verifierKeys(_ call: Call) async throws(Problem) -> Answer {
        let signers = try await ask { () throws(AuditDoor.Failure) in try await backend.audit.signers() }
        return try .json(Whole(data: signers))
    }

    private func tile(_ call: Call) async throws(Problem) -> Answer {
        let path = "tile/\(call.parameters["level"] ?? "")/\(call.parameters["path"] ?? "")"
        return try await file { () throws(AuditDoor.Failure) in try await backend.audit.tile(path) }
    }

    private func entries(_ call: Call) async throws(Problem) -> Answer {
        let path = "tile/entries/\(call.parameters["path"] ?? "")"
        return try await file { () throws(AuditDoor.Failure) in try await backend.audit.entries(path) }
    }

    private func proof(_ call: Call) async throws(Problem) -> Answer {
        guard let position = call.parameters["position"].flatMap({ Int64($0) }), position > 0 else { throw .notFound }
        let found = try await ask { () throws(AuditDoor.Failure) in try await backend.events.one(position) }
        guard let event = found else { throw .notFound }
        if try !call.caller.isPlatform {
            guard let organization = event.organization else { throw .notFound }
            switch try await role(of: call, in: organization) {
            case nil, .owner, .admin, .auditor: break
            case .developer, .viewer: throw .forbidden
            }
        }
        let proof = try await ask { () throws(AuditDoor.Failure) in try await backend.audit.proof(position) }
        guard let proof else { throw .notSealed }
        var answer = Answer.text(proof, type: Self.plain)
        answer.headers[.logPosition] = String(position)
        return answer
    }

    private func file(_ ask: () async throws(AuditDoor.Failure) -> [UInt8]?) async throws(Problem) -> Answer {
        guard let bytes = try await self.ask(ask) else { throw .notFound }
        var answer = Answer(body: .bytes(bytes, type: Self.binary))
        // What a tile has never changes within an epoch, and after an incident nobody should see the old one for long.
        answer.headers[.cacheControl] = "max-age=300"
        return answer
    }
}

extension Problem {
    /// What was asked for is not covered by a signed checkpoint yet.
    static let notSealed = Problem(
        "not-sealed",
        status: .notFound,
        title: "No signed checkpoint covers it yet",
        detail: "The log is sealed every second. Try again.",
        headers: [.retryAfter: "1"]
    )
}
