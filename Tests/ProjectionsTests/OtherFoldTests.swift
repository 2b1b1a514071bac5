import Domain
import Kernel
import Testing

@testable import Projections

@Suite("The other read models")
struct OtherFoldTests {
    private func user(_ id: Int64) -> UserID { Story.identifier(id) }

    @Test("an organization is renamed, suspended, resumed, deleted")
    func organization() throws {
        var story = Story()
        try story.onboard()
        try story.tell(OrganizationEvent.renamed(.init(name: "Acme & Sons")), of: 42)
        try story.tell(OrganizationEvent.suspended(Because(reason: "unpaid")), of: 42)
        #expect(try story.rows(of: Organizations.self)["42"]?.status == .suspended)
        try story.tell(OrganizationEvent.resumed(.init()), of: 42)
        let row = try #require(try story.rows(of: Organizations.self)["42"])
        #expect(row.name == "Acme & Sons" && row.slug == "acme" && row.status == .active && row.version == 4)
        #expect(row.updatedAt == Story.moment(6) && row.createdAt == Story.moment(1))
        try story.tell(OrganizationEvent.deletionRequested(Because(reason: "asked")), of: 42)
        try story.tell(OrganizationEvent.deleted(Nothing()), of: 42)
        let deleted = try #require(try story.rows(of: Organizations.self)["42"])
        #expect(deleted.status == .deleted && deleted.name.isEmpty && deleted.slug == "acme")
    }

    @Test("who onboards is owner; members come, change and go")
    func members() throws {
        var story = Story()
        try story.onboard()
        try story.tell(OrganizationEvent.memberAdded(.init(user: user(8), role: .viewer)), of: 42)
        try story.tell(OrganizationEvent.memberAdded(.init(user: user(9), role: .viewer)), of: 42)
        try story.tell(OrganizationEvent.memberRoleChanged(.init(user: user(8), role: .admin)), of: 42)
        try story.tell(OrganizationEvent.memberRemoved(.init(user: user(9))), of: 42)
        let rows = try story.rows(of: Members.self)
        #expect(rows.mapValues(\.role) == ["42.7": .owner, "42.8": .admin])
    }

    @Test("an invitation is open until it is accepted or taken back, and its row has nothing of its token")
    func invitations() throws {
        var story = Story()
        try story.onboard()
        func sent(_ id: UInt128) -> OrganizationEvent {
            .invitationSent(
                .init(invitation: UniqueID(id), tokenHash: "beef", role: .viewer, expiresAt: Story.moment(100))
            )
        }
        for id in UInt128(1)...3 { try story.tell(sent(id), of: 42) }
        try story.tell(OrganizationEvent.invitationAccepted(.init(invitation: UniqueID(1), user: user(8))), of: 42)
        try story.tell(OrganizationEvent.invitationRevoked(.init(invitation: UniqueID(2))), of: 42)
        let rows = try story.rows(of: Invitations.self)
        func row(_ id: UInt128) -> InvitationView? { rows[UniqueID(id).description] }
        #expect(row(1)?.status == .accepted && row(1)?.userID == user(8))
        #expect(row(2)?.status == .revoked && row(3)?.status == .open && row(3)?.role == .viewer)
        #expect(!String(decoding: try JSON.encode(rows), as: UTF8.self).contains("beef"))
    }

    @Test("a key is good from issue to expiry or revocation, and its view has no hash")
    func keys() throws {
        var story = Story()
        let issued = APIKeyIssued(
            key: Story.identifier(5),
            hash: "beef",
            scopes: ["read"],
            expiresAt: Story.moment(100)
        )
        try story.tell(UserEvent.apiKeyIssued(issued), of: 7, org: nil)
        let key = try #require(try story.rows(of: APIKeys.self)["5"])
        #expect(key.owner == .user(user(7)) && key.hash == "beef")
        #expect(key.isGood(at: Story.moment(99)) && !key.isGood(at: Story.moment(100)))
        #expect(!String(decoding: try JSON.encode(key.view), as: UTF8.self).contains("beef"))
        try story.tell(UserEvent.apiKeyRevoked(.init(key: Story.identifier(5))), of: 7, org: nil)
        #expect(try story.rows(of: APIKeys.self)["5"]?.isGood(at: Story.moment(3)) == false)
    }

    @Test("a key of an organization acts with its role")
    func organizationKey() throws {
        var story = Story()
        let issued = APIKeyIssued(key: Story.identifier(6), hash: "f00d", scopes: ["*"], role: .developer)
        try story.tell(OrganizationEvent.apiKeyIssued(issued), of: 42)
        let key = try #require(try story.rows(of: APIKeys.self)["6"])
        #expect(key.owner == .organization(Story.identifier(42)) && key.role == .developer)
    }

    @Test("a subscription goes from requested over draft to active, and shows what is pending")
    func subscription() throws {
        var story = Story()
        try story.onboard()
        #expect(try story.rows(of: Subscriptions.self)["300"]?.status == .requested)
        try story.provision(cause: 3)
        let active = try #require(try story.rows(of: Subscriptions.self)["300"])
        #expect(active.status == .active && active.anchor == Story.moment(0) && active.price == Story.price)
        let smaller = PriceSnapshot(code: "pro-monthly", currency: "USD", amount: 3900, interval: "month")
        let fact = SubscriptionEvent.DowngradeScheduled(price: smaller, plan: Story.plan, effectiveAt: Story.moment(70))
        try story.tell(SubscriptionEvent.downgradeScheduled(fact), of: 300)
        let pending = try #require(try story.rows(of: Subscriptions.self)["300"])
        #expect(
            pending.pendingChange == .init(price: smaller, effectiveAt: Story.moment(70))
                && pending.price == Story.price
        )
        try story.tell(SubscriptionEvent.planChangeCancelled(.init(reason: "stay")), of: 300)
        #expect(try story.rows(of: Subscriptions.self)["300"]?.pendingChange == nil)
        try story.tell(SubscriptionEvent.downgradeScheduled(fact), of: 300)
        try story.tell(SubscriptionEvent.planChanged(.init(price: smaller, plan: Story.plan, billingID: "b")), of: 300)
        let changed = try #require(try story.rows(of: Subscriptions.self)["300"])
        #expect(changed.price == smaller && changed.pendingChange == nil)
    }

    @Test("one release is the default at a time")
    func releases() throws {
        var story = Story()
        for version in ["1.0.0", "2.0.0"] {
            let fact = ReleaseEvent.Registered(
                version: version,
                image: "i:\(version)",
                status: .beta,
                minimumTier: .pro,
                breaking: false
            )
            try story.tell(ReleaseEvent.registered(fact), of: "railzway", org: nil)
            try story.tell(ReleaseEvent.defaultSet(.init(version: version)), of: "railzway", org: nil)
        }
        try story.tell(ReleaseEvent.statusChanged(.init(version: "1.0.0", status: .eol)), of: "railzway", org: nil)
        let releases = try #require(try story.rows(of: Releases.self)["railzway"]).releases
        #expect(releases.map(\.isDefault) == [false, true])
        #expect(releases.map(\.status) == [.eol, .beta])
    }

    @Test("a route is there from publication to withdrawal")
    func routes() throws {
        var story = Story()
        try story.onboard()
        try story.provision(cause: 3)
        let route = try #require(try story.rows(of: Routes.self)["400"])
        #expect(route.host == "acme.localhost" && route.router == "org-42" && route.service == "railzway-org-42")
        try story.tell(InstanceEvent.routeWithdrawn(.init(router: "org-42", generation: 1)), of: 400)
        #expect(try story.rows(of: Routes.self).isEmpty)
    }

    @Test("the timeline has every event of an instance, as it was written")
    func timeline() throws {
        var story = Story()
        try story.onboard()
        try story.provision(cause: 3)
        let rows = try story.rows(of: Timeline.self).values.sorted { $0.position < $1.position }
        #expect(rows.map(\.version) == [1, 2, 3, 4, 5])
        #expect(rows.last?.type == "instance.running" && rows.last?.actor == "user-7")
        #expect(rows.last?.data["launchURL"] == "http://acme.localhost/login/railzway_com")
    }
}
