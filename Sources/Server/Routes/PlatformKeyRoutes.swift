internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// The keys of those who run the plane, or audit it.
extension API {
    var platformKeyRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/admin/api-keys",
                "listPlatformKeys",
                "The keys of the platform with one role, without their secrets.",
                access: .platform,
                parameters: Route.Parameter.list + [
                    .init("role", Self.platformRole, "Whose; `operator` when it is not said.")
                ],
                success: .init(.ok, .named("Keys")),
                handler: platformKeys
            ),
            Route(
                .post,
                "/v1/admin/api-keys",
                "issuePlatformKey",
                "Issues a key of an operator or of a platform auditor; its text is shown this once.",
                access: .operators,
                body: NewPlatformKeyBody.self,
                success: .init(.created, .named("NewKey")),
                handler: issuePlatformKey
            ),
            Route(
                .delete,
                "/v1/admin/api-keys/{key}",
                "revokePlatformKey",
                "Makes a key of the platform useless.",
                access: .operators,
                success: .init(.noContent),
                handler: revokePlatformKey
            ),
        ]
    }

    fileprivate static let platformRole = Schema.oneOf(PlatformRole.allCases.map(\.rawValue))

    private func platformKeys(_ call: Call) async throws(Problem) -> Answer {
        let role = call.query["role"].flatMap { PlatformRole(rawValue: $0) } ?? .operator
        return try await keys(of: .platform(role), call)
    }

    private func issuePlatformKey(_ call: Call, _ body: NewPlatformKeyBody) async throws(Problem) -> Answer {
        let wish = try wish(call, scopes: body.scopes, expiresAt: body.expiresAt)
        let envelope = try envelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.issuePlatformKey(body.role, wish, envelope)
        }
        await settle(receipt.position)
        return try shown(receipt, wish, at: call.path)
    }

    private func revokePlatformKey(_ call: Call) async throws(Problem) -> Answer {
        let key: KeyID = try call.id("key")
        let envelope = try envelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.revokePlatformKey(key, envelope)
        }
        await settle(receipt.position)
        return Answer(.noContent, headers: [.logPosition: String(receipt.position)])
    }
}

struct NewPlatformKeyBody: RequestBody {
    var role: PlatformRole
    var scopes: [String]?
    var expiresAt: Timestamp?

    static let schema = Schema.object([.init("role", API.platformRole), .scopes, .expiry])
}
