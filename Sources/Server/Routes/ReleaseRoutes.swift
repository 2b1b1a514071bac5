internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel

/// The versions that instances can run: made known, recommended, and ended.
extension API {
    var releaseRoutes: [Route] {
        [
            Route(
                .post,
                "/v1/admin/releases",
                "registerRelease",
                "Makes a version known; again with the same content, nothing changes.",
                access: .operators,
                body: ReleaseBody.self,
                success: .init(.noContent),
                handler: registerRelease
            ),
            Route(
                .post,
                "/v1/admin/releases/{version}/default",
                "setDefaultRelease",
                "Makes a version the one that new instances run.",
                access: .operators,
                body: EmptyBody.self,
                success: .init(.noContent),
                handler: setDefaultRelease
            ),
            Route(
                .post,
                "/v1/admin/releases/{version}/status",
                "changeReleaseStatus",
                "Says how far a version may be trusted; nothing is given one that is at its end of life.",
                access: .operators,
                body: ReleaseStatusBody.self,
                success: .init(.noContent),
                handler: changeReleaseStatus
            ),
        ]
    }

    private func registerRelease(_ call: Call, _ body: ReleaseBody) async throws(Problem) -> Answer {
        if let digest = body.digest, !Self.isDigest(digest) {
            throw .invalid([.init("must be `sha256:` and 64 hexadecimal digits in lower case", pointer: "#/digest")])
        }
        let fact = ReleaseEvent.Registered(
            version: body.version,
            image: body.image,
            digest: body.digest,
            status: body.status ?? .stable,
            minimumTier: body.minimumTier ?? .freeTrial,
            breaking: body.breaking ?? false,
            notes: body.notes
        )
        let envelope = try envelope(call)
        return try await done { () throws(CommandError) in
            try await backend.commands.registerRelease(fact, body.makeDefault ?? false, envelope)
        }
    }

    private static func isDigest(_ text: String) -> Bool {
        let hexadecimal = text.utf8.dropFirst(7)
        return text.hasPrefix("sha256:") && hexadecimal.count == 64
            && hexadecimal.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
    }

    private func setDefaultRelease(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        let envelope = try envelope(call)
        let version = call.parameters["version"] ?? ""
        return try await done { () throws(CommandError) in
            try await backend.commands.setDefaultRelease(version, envelope)
        }
    }

    private func changeReleaseStatus(_ call: Call, _ body: ReleaseStatusBody) async throws(Problem) -> Answer {
        let envelope = try envelope(call)
        let version = call.parameters["version"] ?? ""
        return try await done { () throws(CommandError) in
            try await backend.commands.changeReleaseStatus(version, body.status, envelope)
        }
    }
}

struct ReleaseBody: RequestBody {
    var version: String
    var image: String
    var digest: String?
    var status: ReleaseStatus?
    var minimumTier: Tier?
    var breaking: Bool?
    var notes: String?
    /// Whether new instances are to run it.
    var makeDefault: Bool?

    static let schema = Schema.object([
        .init("version", .string(1...128)),
        .init("image", .string(1...255)),
        .init("digest", .string(71...71, pattern: "^sha256:[0-9a-f]{64}$"), required: false),
        .init("status", .oneOf(ReleaseStatus.allCases.map(\.rawValue)), required: false),
        .init("minimumTier", .oneOf(Tier.allCases.map(\.rawValue)), required: false),
        .init("breaking", .boolean, required: false),
        .init("notes", .string(0...10_000), required: false),
        .init("makeDefault", .boolean, required: false),
    ])
}

struct ReleaseStatusBody: RequestBody {
    var status: ReleaseStatus

    static let schema = Schema.object([.init("status", .oneOf(ReleaseStatus.allCases.map(\.rawValue)))])
}
