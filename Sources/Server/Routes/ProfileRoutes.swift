internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel

/// Who the caller is.
extension API {
    var profileRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/me",
                "showCaller",
                "Who the caller is; for people with what they have told of themselves.",
                access: .scope(.read),
                success: .init(.ok, .named("Caller")),
                handler: me
            ),
            Route(
                .patch,
                "/v1/me",
                "updateProfile",
                "Gives the caller, who is a person, another first or last name.",
                access: .scope(.write),
                body: ProfileBody.self,
                success: .init(.ok, .named("Profile")),
                handler: updateProfile
            ),
        ]
    }

    private func me(_ call: Call) async throws(Problem) -> Answer {
        let caller = try call.caller
        var document: [String: JSONValue] = [
            "actor": .string(caller.actor), "scopes": .array(caller.scopes.sorted().map { .string($0) }),
        ]
        switch caller.kind {
        case .user(let user):
            let profile = try await profile(of: user)
            document["kind"] = "user"
            document["id"] = .string(user.description)
            document["profile"] = profile.document
            return try .json(document, position: profile.position, version: profile.version)
        case .organizationKey(let key, let organization, let role):
            document["kind"] = "organization-key"
            document["id"] = .string(key.description)
            document["organizationId"] = .string(organization.description)
            document["role"] = .string(role.rawValue)
        case .operator(let key):
            document["kind"] = "operator"
            document["id"] = .string(key.description)
        case .platformAuditor(let key):
            document["kind"] = "platform-auditor"
            document["id"] = .string(key.description)
        case .saga, .system: throw .forbidden
        }
        return try .json(document)
    }

    private func updateProfile(_ call: Call, _ body: ProfileBody) async throws(Problem) -> Answer {
        guard case .user(let user) = try call.caller.kind else { throw .forbidden }
        let envelope = try envelope(call, expecting: try call.requiredVersion())
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.updateProfile(user, body.firstName, body.lastName, envelope)
        }
        let profile = try await profile(of: user)
        return try .json(profile.document, position: receipt.position, version: receipt.version)
    }

    private func profile(of user: UserID) async throws(Problem) -> Profile {
        try await give { () throws(CommandError) in try await backend.commands.profile(user) }
    }
}

extension Profile {
    fileprivate var document: JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
        return ["firstName": text(firstName), "lastName": text(lastName), "email": text(email)]
    }
}

struct ProfileBody: RequestBody {
    /// What is not given stays.
    var firstName: String?
    var lastName: String?

    static let schema = Schema.object([
        .init("firstName", .string(1...100), required: false), .init("lastName", .string(1...100), required: false),
    ])
}
