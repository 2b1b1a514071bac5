internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// The routes of the control plane before this one, so that its pages and scripts keep working: the same commands and
/// read models, checked the same, behind the names and shapes that they know.
///
/// They are there when the settings say below which domain tenants are.
extension API {
    var olderRoutes: [Route] {
        guard settings.olderDomain != nil else { return [] }
        return (olderReads + olderCommands).map { route in
            var route = route
            route.isOlder = true
            return route
        }
    }

    private var olderReads: [Route] {
        [
            olderRead(
                "/api/prices",
                "olderPrices",
                olderPrices,
                access: .open,
                parameters: [.text("product_id"), .text("code")]
            ),
            olderRead(
                "/api/price_amounts",
                "olderAmounts",
                olderAmounts,
                access: .open,
                parameters: [.text("price_id")]
            ),
            olderRead("/user/organizations", "olderOrganizations", olderOrganizations),
            olderRead("/user/profile", "olderProfile", olderProfile),
            olderRead(
                "/user/instance",
                "olderInstance",
                olderInstance,
                parameters: [.olderOrganization],
                or: [.notFound]
            ),
            Route(
                .get,
                "/user/instance/stream",
                "olderStream",
                "The instance of an organization whenever it changes, as the older control plane told it.",
                access: .scope(.read),
                parameters: [.olderOrganization],
                success: .init(.ok, .text, type: "text/event-stream"),
                handler: olderStream
            ),
            olderRead(
                "/user/onboarding/check-org-name",
                "olderSlug",
                olderSlug,
                parameters: [.text("name"), .text("namespace"), .text("slug")]
            ),
        ]
    }

    private var olderCommands: [Route] {
        [
            Route(
                .put,
                "/user/profile",
                "olderUpdateProfile",
                "Gives the caller another name; as the older control plane had it.",
                access: .scope(.write),
                body: OlderProfileBody.self,
                success: .init(.ok, .anything),
                handler: olderUpdateProfile
            ),
            Route(
                .post,
                "/user/onboarding/initialize",
                "olderOnboard",
                "Onboards as the older control plane did; the plan is that of the price.",
                access: .scope(.write),
                body: OlderOnboardingBody.self,
                success: .init(.created, .anything),
                handler: olderOnboard
            ),
            olderDeed("start", EmptyBody.self, olderStart),
            olderDeed("stop", EmptyBody.self, olderStop),
            // What is not paid for does not run, so that both are one.
            olderDeed("pause", EmptyBody.self, olderPause),
            olderDeed("upgrade", OlderTierBody.self, olderUpgrade),
            olderDeed("downgrade", OlderTierBody.self, olderDowngrade),
            olderDeed("deploy", OlderVersionBody.self, olderDeploy),
            Route(
                .post,
                "/admin/rollout",
                "olderRollout",
                "Begins to give a release to all instances in waves; as the older control plane had it.",
                access: .operators,
                body: OlderVersionBody.self,
                success: .init(.ok, .anything),
                handler: olderRollout
            ),
        ]
    }

    private func olderRead(
        _ path: String,
        _ name: String,
        _ handler: @escaping Route.Handler,
        access: Access = .scope(.read),
        parameters: [Route.Parameter] = [],
        or others: [HTTPResponse.Status] = []
    ) -> Route {
        Route(
            .get,
            path,
            name,
            "As the older control plane had it.",
            access: access,
            parameters: parameters,
            success: .init(.ok, .anything, or: others),
            handler: handler
        )
    }

    private func olderDeed<Body: RequestBody>(
        _ name: String,
        _ body: Body.Type,
        _ handler: @escaping @Sendable (Call, Body) async throws(Problem) -> Answer
    ) -> Route {
        Route(
            .post,
            "/user/instance/" + name,
            "older" + name.prefix(1).uppercased() + name.dropFirst(),
            "As the older control plane had it.",
            access: .scope(.write),
            parameters: [.olderOrganization],
            body: body,
            success: .init(.ok, .anything),
            handler: handler
        )
    }
}

extension Route.Parameter {
    fileprivate static let olderOrganization = Route.Parameter("org_id", .identifier, "The organization.")

    fileprivate static func text(_ name: String) -> Self { .init(name, .string(0...253), "As before.") }
}

struct OlderTierBody: RequestBody {
    var tier: String
    static let schema = Schema.object([.init("tier", .string(1...20))])
}

struct OlderVersionBody: RequestBody {
    /// `latest`, or nothing, is the default release.
    var version: String?
    static let schema = Schema.object([.init("version", .string(0...64), required: false)])
}

struct OlderProfileBody: RequestBody {
    var firstName: String
    var lastName: String

    private enum CodingKeys: String, CodingKey {
        case firstName = "first_name"
        case lastName = "last_name"
    }

    static let schema = Schema.object([.init("first_name", .string(0...100)), .init("last_name", .string(0...100))])
}

struct OlderOnboardingBody: RequestBody {
    /// Not looked at: what is bought says which plan it is.
    var plan: String?
    var price: String
    var name: String
    var slug: String?
    var namespace: String?

    private enum CodingKeys: String, CodingKey {
        case plan = "plan_id"
        case price = "price_id"
        case name = "org_name"
        case slug = "org_slug"
        case namespace = "org_namespace"
    }

    static let schema = Schema.object([
        .init("plan_id", .string(0...100), required: false), .init("price_id", .string(1...100)),
        .init("org_name", .name), .init("org_slug", .string(1...253), required: false),
        .init("org_namespace", .string(1...253), required: false),
    ])
}
