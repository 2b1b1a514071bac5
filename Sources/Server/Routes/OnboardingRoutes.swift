internal import Commands
internal import HTTPTypes
internal import Kernel
internal import Projections

/// `POST /v1/onboarding`, and the question that a form asks before it.
extension API {
    var onboardingRoutes: [Route] {
        [
            Route(
                .post,
                "/v1/onboarding",
                "onboard",
                "Makes an organization, its subscription and its first instance, all or nothing.",
                access: .scope(.write),
                body: OnboardingBody.self,
                success: .init(.accepted, .named("Onboarding")),
                handler: onboard
            ),
            Route(
                .get,
                "/v1/slugs/{slug}",
                "slugAvailability",
                "Whether an organization could have this slug.",
                access: .scope(.read),
                success: .init(.ok, .named("SlugAvailability")),
                handler: slug
            ),
        ]
    }

    private func onboard(_ call: Call, _ body: OnboardingBody) async throws(Problem) -> Answer {
        let envelope = try envelope(call)
        let receipt = try await give(below: "organization") { () throws(CommandError) in
            try await backend.commands.onboard(body.organization.name, body.organization.slug, body.priceId, envelope)
        }
        let made = receipt.answer
        return try await accepted(call, operation: made.operation, receipt) { status in
            [
                "operation": ["id": .string(made.operation.description), "status": .string(status)],
                "organization": ["id": .string(made.organization.description), "slug": .string(made.slug)],
                "subscription": ["id": .string(made.subscription.description)],
                "instance": ["id": .string(made.instance.description)],
            ]
        }
    }

    private func slug(_ call: Call) async throws(Problem) -> Answer {
        let slug = call.parameters["slug"] ?? ""
        let availability = try await give { () throws(CommandError) in
            try await backend.commands.slugAvailability(slug)
        }
        let document: [String: JSONValue] = [
            "slug": .string(slug), "available": .bool(availability == .available),
            "reason": availability == .available ? .null : .string(availability.rawValue),
        ]
        return try .json(document)
    }
}

struct OnboardingBody: RequestBody {
    struct Organization: Decodable, Sendable {
        var name: String
        var slug: String
    }

    var organization: Organization
    var priceId: String

    static let schema = Schema.object([
        .init("organization", .object([.init("name", .name), .init("slug", .slug)])),
        .init("priceId", .string(1...100)),
    ])
}

extension Schema {
    /// What people call something.
    static let name = Schema.string(1...200)
    /// The grammar is checked by the domain, which also knows the reserved ones.
    static let slug = Schema.string(1...63, pattern: "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")
}
