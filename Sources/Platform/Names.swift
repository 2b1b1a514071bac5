/// The names of everything that is made outside for a tenant; stable, because they are what is looked for after a crash.
package struct Names: Sendable, Equatable {
    /// `railzway-org-`: jobs, groups and services.
    package var jobPrefix = "railzway-org-"
    package var databasePrefix = "railzway_org_"
    package var rolePrefix = "railzway_user_"
    package var routerPrefix = "org-"
    /// `railzway.com`.
    package var rootDomain: String
    /// `https`.
    package var rootScheme: String
    /// The port people reach the edge at, where it is not the scheme's own; only on development machines.
    package var edgePort: Int?

    package init(rootDomain: String = "railzway.com", rootScheme: String = "https", edgePort: Int? = nil) {
        self.rootDomain = rootDomain
        self.rootScheme = rootScheme
        self.edgePort = edgePort
    }

    /// The name of an organization's first instance, which appears in no other name.
    package static let mainInstance = "main"

    package func job(organization: String, instance: String, slot: String = "a") -> String {
        jobPrefix + organization + (instance == Self.mainInstance ? "" : "-" + instance)
            + (slot == "a" ? "" : "-" + slot)
    }

    /// What brings the database to where the release of a slot wants it: it runs once, and serves nobody.
    package func migration(organization: String, instance: String, slot: String) -> String {
        "\(job(organization: organization, instance: instance))-\(slot)-migrate"
    }

    package func database(organization: String, instance: String, generation: Int) -> String {
        databasePrefix + suffix(organization, instance, generation)
    }

    package func role(organization: String, instance: String, generation: Int) -> String {
        rolePrefix + suffix(organization, instance, generation)
    }

    /// The role that the tenant logs in with: the owner at first, then a member of it for each rotation.
    package func login(role: String, rotation: Int) -> String {
        rotation < 2 ? role : "\(role)_r\(rotation)"
    }

    package func router(organization: String, instance: String) -> String {
        routerPrefix + organization + (instance == Self.mainInstance ? "" : "-" + instance)
    }

    package func host(slug: String, instance: String) -> String {
        (instance == Self.mainInstance ? slug : "\(instance)--\(slug)") + "." + rootDomain
    }

    /// Where the customer signs in.
    package func launchURL(slug: String, instance: String) -> String {
        let port = edgePort.map { ":\($0)" } ?? ""
        return "\(rootScheme)://\(host(slug: slug, instance: instance))\(port)/login/railzway_com"
    }

    package func billingEmail(organization: String) -> String { "org_\(organization)@\(rootDomain)" }

    package func customerKey(organization: String) -> String { "sbx1:org:\(organization):customer" }

    package func subscriptionKey(subscription: String, generation: Int) -> String {
        "sbx1:sub:\(subscription):g\(generation):create"
    }

    /// A subscription is paused and resumed many times, each time by another saga.
    package func transitionKey(subscription: String, saga: String, verb: String) -> String {
        "sbx1:sub:\(subscription):\(saga):\(verb)"
    }

    private func suffix(_ organization: String, _ instance: String, _ generation: Int) -> String {
        organization + (instance == Self.mainInstance ? "" : "_" + instance) + (generation < 2 ? "" : "_g\(generation)")
    }
}
