internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// API keys: shown once, revocable.
extension API {
    var keyRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/me/api-keys",
                "listMyKeys",
                "The caller's own keys, without their secrets.",
                access: .scope(.read),
                parameters: Route.Parameter.list,
                success: .init(.ok, .named("Keys")),
                handler: myKeys
            ),
            Route(
                .post,
                "/v1/me/api-keys",
                "issueMyKey",
                "Issues a key that acts as the caller; its text is shown this once.",
                access: .scope(.write),
                body: NewKeyBody.self,
                success: .init(.created, .named("NewKey")),
                handler: issueMyKey
            ),
            Route(
                .delete,
                "/v1/me/api-keys/{key}",
                "revokeMyKey",
                "Makes one of the caller's keys useless.",
                access: .scope(.write),
                success: .init(.noContent),
                handler: revokeMyKey
            ),
            Route(
                .get,
                "/v1/organizations/{organization}/api-keys",
                "listKeys",
                "The keys of an organization, without their secrets.",
                access: .scope(.read),
                parameters: Route.Parameter.list,
                success: .init(.ok, .named("Keys")),
                handler: keys
            ),
            Route(
                .post,
                "/v1/organizations/{organization}/api-keys",
                "issueKey",
                "Issues a key of the organization with a role; its text is shown this once.",
                access: .scope(.write),
                body: NewOrganizationKeyBody.self,
                success: .init(.created, .named("NewKey")),
                handler: issueKey
            ),
            Route(
                .delete,
                "/v1/organizations/{organization}/api-keys/{key}",
                "revokeKey",
                "Makes a key of the organization useless.",
                access: .scope(.write),
                success: .init(.noContent),
                handler: revokeKey
            ),
        ]
    }

    private func myKeys(_ call: Call) async throws(Problem) -> Answer {
        guard case .user(let user) = try call.caller.kind else { throw .forbidden }
        return try await keys(of: .user(user), call)
    }

    private func keys(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let role = try await role(of: call, in: id)
        guard role.map({ [.owner, .admin, .auditor].contains($0) }) ?? true else { throw .forbidden }
        return try await keys(of: .organization(id), call)
    }

    func keys(of owner: KeyRecord.Owner, _ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        let request = page(call)
        var reading = try await read { () throws(ReadError) in try await backend.reads.keys(owner, request) }
        guard let uses = await backend.keyUses.uses(reading.value.data.map(\.id)) else { throw .unavailable() }
        for index in reading.value.data.indices {
            reading.value.data[index].lastUsedAt = uses[reading.value.data[index].id]
        }
        return try list(reading, for: call)
    }

    private func issueMyKey(_ call: Call, _ body: NewKeyBody) async throws(Problem) -> Answer {
        guard case .user(let user) = try call.caller.kind else { throw .forbidden }
        let wish = try wish(call, scopes: body.scopes, expiresAt: body.expiresAt)
        let envelope = try envelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.issueUserKey(user, wish, envelope)
        }
        await settle(receipt.position)
        return try shown(receipt, wish, at: call.path)
    }

    private func issueKey(_ call: Call, _ body: NewOrganizationKeyBody) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let wish = try wish(call, scopes: body.scopes, expiresAt: body.expiresAt)
        let envelope = try envelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.issueOrganizationKey(id, body.role, wish, envelope)
        }
        await settle(receipt.position)
        return try shown(receipt, wish, at: call.path)
    }

    private func revokeMyKey(_ call: Call) async throws(Problem) -> Answer {
        guard case .user(let user) = try call.caller.kind else { throw .forbidden }
        let key: KeyID = try call.id("key")
        let envelope = try envelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.revokeUserKey(user, key, envelope)
        }
        await settle(receipt.position)
        return Answer(.noContent, headers: [.logPosition: String(receipt.position)])
    }

    private func revokeKey(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let key: KeyID = try call.id("key")
        let envelope = try envelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.revokeOrganizationKey(id, key, envelope)
        }
        await settle(receipt.position)
        return Answer(.noContent, headers: [.logPosition: String(receipt.position)])
    }

    /// Holds the answer until the keys that requests are checked against have passed a position: what was issued is good
    /// then, and what was revoked is not.
    func settle(_ position: Int64) async {
        // The deed is in the log already; a read model that is late must not make it look undone.
        try? await backend.reads.wait(position, settings.readWait, [APIKeys.self])
    }

    /// A key can do no more than the one that it was asked for with.
    func wish(_ call: Call, scopes: [String]?, expiresAt: Timestamp?) throws(Problem) -> KeyWish {
        let caller = try call.caller
        let scopes = Set(scopes ?? caller.scopes.sorted())
        guard scopes.allSatisfy({ caller.has(scope: $0) }) else { throw .forbidden }
        if let expiresAt, expiresAt <= ids.now() {
            throw .invalid([.init("must be in the future", pointer: "#/expiresAt")])
        }
        return KeyWish(scopes: scopes, expiresAt: expiresAt)
    }

    func shown(_ receipt: Receipt<KeyShown>, _ wish: KeyWish, at path: String) throws(Problem) -> Answer {
        let document: [String: JSONValue] = [
            "id": .string(receipt.answer.key.description),
            "key": .string(receipt.answer.text),
            "scopes": .array(wish.scopes.sorted().map { .string($0) }),
            "expiresAt": receipt.answer.expiresAt.map { .string($0.description) } ?? .null,
        ]
        return try .json(
            document,
            status: .created,
            position: receipt.position,
            version: receipt.version,
            headers: [.location: "\(path)/\(receipt.answer.key)"]
        )
    }
}

struct NewKeyBody: RequestBody {
    var scopes: [String]?
    var expiresAt: Timestamp?

    static let schema = Schema.object([.scopes, .expiry])
}

struct NewOrganizationKeyBody: RequestBody {
    var role: Role
    var scopes: [String]?
    var expiresAt: Timestamp?

    static let schema = Schema.object([.init("role", .role), .scopes, .expiry])
}

extension Schema.Member {
    static let scopes = Schema.Member(
        "scopes",
        .array(.oneOf(["*", "read", "write"])),
        required: false
    )
    static let expiry = Schema.Member("expiresAt", .time, required: false)
}
