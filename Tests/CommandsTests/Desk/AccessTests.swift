import Commands
import Domain
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("Who may do what")
struct AccessTests {
    /// What each role may do in its own organization.
    @Test(
        "owners and admins administer, developers operate, viewers and auditors change nothing",
        arguments: Role.allCases
    )
    func roles(role: Role) async throws {
        let plane = try await Plane()
        let owner = try await plane.person("owner")
        let member = try await plane.person("member")
        let organization = try await plane.onboarded(by: owner).answer.organization
        guard case .user(let user) = member.kind else { return }
        try await plane.record(Organization.self, Streams.organization(organization), .addMember(user, role))

        let administers = await outcome {
            _ = try await plane.desk.renameOrganization(organization, to: "New", by: .once(member))
        }
        let operates = await outcome {
            _ = try await plane.desk.requestInstance(
                of: organization,
                name: "second",
                price: "pro-monthly",
                by: .once(member)
            )
        }
        #expect(administers == ([.owner, .admin].contains(role) ? nil : .forbidden))
        #expect(operates == ([.owner, .admin, .developer].contains(role) ? nil : .forbidden))
    }

    @Test("to a stranger a foreign organization and its instances do not exist")
    func strangers() async throws {
        let plane = try await Plane()
        let onboarded = try await plane.onboarded(by: try await plane.person("owner")).answer
        let stranger = try await plane.person("stranger")
        let foreignKey = Principal(
            .organizationKey(IDSource.system.identifier(), IDSource.system.identifier(), .owner)
        )
        for principal in [stranger, foreignKey] {
            await #expect(throws: CommandError.notFound) {
                try await plane.desk.renameOrganization(onboarded.organization, to: "Mine", by: .once(principal))
            }
            await #expect(throws: CommandError.notFound) {
                try await plane.desk.retryInstance(onboarded.instance, by: .once(principal))
            }
        }
        let owner = try await plane.person("owner")
        await #expect(throws: CommandError.notFound) {
            try await plane.desk.retryInstance(IDSource.system.identifier(), by: .once(owner))
        }
        await #expect(throws: CommandError.notFound) {
            try await plane.desk.renameOrganization(IDSource.system.identifier(), to: "None", by: .once(owner))
        }
    }

    @Test("a key of the organization acts with its role, within its scopes")
    func organizationKeys() async throws {
        let plane = try await Plane()
        let organization = try await plane.onboarded(by: try await plane.person()).answer.organization
        func key(_ role: Role, _ scopes: Set<String>) -> Principal {
            Principal(.organizationKey(IDSource.system.identifier(), organization, role), scopes: scopes)
        }
        _ = try await plane.desk.renameOrganization(organization, to: "A", by: .once(key(.admin, ["write"])))
        for principal in [key(.viewer, ["*"]), key(.owner, ["read"])] {
            await #expect(throws: CommandError.forbidden) {
                try await plane.desk.renameOrganization(organization, to: "B", by: .once(principal))
            }
        }
    }

    @Test("operators may, platform auditors may not")
    func platform() async throws {
        let plane = try await Plane()
        let organization = try await plane.onboarded(by: try await plane.person()).answer.organization
        let operatorKey = Principal(.operator(IDSource.system.identifier()))
        _ = try await plane.desk.renameOrganization(organization, to: "A", by: .once(operatorKey))
        #expect(plane.log.events.last?.actor == operatorKey.actor)
        await #expect(throws: CommandError.forbidden) {
            try await plane.desk.renameOrganization(
                organization,
                to: "B",
                by: .once(Principal(.platformAuditor(IDSource.system.identifier())))
            )
        }
    }

    @Test("a key is shown to who made it, again for a repeat, and the log has only its hash")
    func keysAreShownOnce() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        guard case .user(let user) = person.kind else { return }
        let first = try await plane.desk.issueUserKey(for: user, scopes: ["read"], by: .keyed("k", person))
        let again = try await plane.desk.issueUserKey(for: user, scopes: ["read"], by: .keyed("k", person))
        #expect(again.answer == first.answer)
        let key = try #require(IssuedKey(first.answer.text))
        #expect(key.id == first.answer.key)

        let secret = try #require(first.answer.text.split(separator: "_").last)
        #expect(secret.utf8.count == 64)
        let texts = plane.log.events.map { String(decoding: $0.payload ?? [], as: UTF8.self) }
        #expect(texts.allSatisfy { !$0.contains(secret) })
        #expect(texts.last?.contains(key.hash) == true)
    }

    @Test("nobody makes a key that may more than they may themselves")
    func escalation() async throws {
        let plane = try await Plane()
        let owner = try await plane.person("owner")
        let admin = try await plane.person("admin")
        let organization = try await plane.onboarded(by: owner).answer.organization
        guard case .user(let adminID) = admin.kind, case .user(let ownerID) = owner.kind else { return }
        try await plane.record(Organization.self, Streams.organization(organization), .addMember(adminID, .admin))

        await #expect(throws: CommandError.forbidden) {
            try await plane.desk.issueOrganizationKey(for: organization, role: .owner, by: .once(admin))
        }
        _ = try await plane.desk.issueOrganizationKey(for: organization, role: .admin, by: .once(admin))
        await #expect(throws: CommandError.notFound) {
            try await plane.desk.issueUserKey(for: ownerID, by: .once(admin))
        }
        await #expect(throws: CommandError.forbidden) {
            try await plane.desk.issueUserKey(
                for: ownerID,
                scopes: ["*"],
                by: .once(Principal(owner.kind, scopes: ["write"]))
            )
        }
        await #expect(throws: CommandError.scopesMalformed) {
            try await plane.desk.issueUserKey(for: ownerID, scopes: ["root"], by: .once(owner))
        }
        await #expect(throws: CommandError.forbidden) {
            try await plane.desk.issuePlatformKey(.auditor, by: .once(owner))
        }
    }

    @Test("a key that was made before is issued once, however often it is asked for")
    func givenKey() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        guard case .user(let user) = person.kind else { return }
        let key = IssuedKey(ids: .system)
        let shown = try await plane.desk.issueUserKey(for: user, key: key, by: .own(ids: .system))
        #expect(shown.answer.text == key.text)
        let before = try await plane.log.frontier()
        _ = try await plane.desk.issueUserKey(for: user, key: key, by: .own(ids: .system))
        #expect(try await plane.log.frontier() == before)
        _ = try await plane.desk.issuePlatformKey(.operator, key: key, by: .own(ids: .system))
        _ = try await plane.desk.issuePlatformKey(.operator, key: key, by: .own(ids: .system))
        #expect(try await plane.log.frontier() == before + 1)
    }

    @Test("keys are revoked by those who may make them")
    func revoke() async throws {
        let plane = try await Plane()
        let owner = try await plane.person("owner")
        let organization = try await plane.onboarded(by: owner).answer.organization
        guard case .user(let user) = owner.kind else { return }
        let own = try await plane.desk.issueUserKey(for: user, by: .once(owner)).answer.key
        let theirs = try await plane.desk.issueOrganizationKey(for: organization, role: .viewer, by: .once(owner))
            .answer.key
        let platform = try await plane.desk.issuePlatformKey(.operator, by: .own(ids: .system)).answer.key

        await #expect(throws: CommandError.notFound) {
            try await plane.desk.revokeUserKey(own, of: user, by: .once(try await plane.person("stranger")))
        }
        _ = try await plane.desk.revokeUserKey(own, of: user, by: .once(owner))
        _ = try await plane.desk.revokeOrganizationKey(theirs, of: organization, by: .once(owner))
        _ = try await plane.desk.revokePlatformKey(platform, by: .own(ids: .system))
        #expect(
            plane.types().suffix(3)
                == ["user.api-key-revoked", "organization.api-key-revoked", "platform.api-key-revoked"]
        )
        await #expect(throws: CommandError.organization(.unknownKey)) {
            try await plane.desk.revokeOrganizationKey(own, of: organization, by: .once(owner))
        }
    }

    private func outcome(_ body: () async throws -> Void) async -> CommandError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? CommandError
        }
    }
}
