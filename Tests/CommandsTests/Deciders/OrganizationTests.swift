import Commands
import Domain
import Kernel
import SignalboxTestKit
import Testing

@Suite("Organization")
struct OrganizationTests {
    private static let owner: UserID = IDSource.system.identifier()
    private static let friend: UserID = IDSource.system.identifier()
    private static let created = OrganizationEvent.created(.init(name: "Acme", slug: "acme", owner: owner))
    private static let befriended = OrganizationEvent.memberAdded(.init(user: friend, role: .admin))
    private static let key = APIKeyIssued(
        key: IDSource.system.identifier(),
        hash: "h",
        scopes: ["read"],
        role: .developer
    )

    private static func invitation(_ id: UInt128) -> OrganizationEvent.InvitationSent {
        .init(invitation: UniqueID(id), tokenHash: "h", role: .developer, expiresAt: Timestamp(microseconds: 100))
    }

    private static func hook(_ id: UInt128, _ url: String = "https://a.example/") -> OrganizationEvent.WebhookRegistered
    {
        .init(webhook: UniqueID(id), url: url, types: ["*"], secret: .init(subject: "organization-1", box: ""))
    }

    private static func history(of stage: Organization.Stage) -> [OrganizationEvent] {
        let active = [
            created, befriended, .apiKeyIssued(key), .billingCustomerLinked(.init(customer: "c1")),
            .invitationSent(invitation(1)), .webhookRegistered(hook(1)),
        ]
        switch stage {
        case .absent: return []
        case .active: return active
        case .suspended: return active + [.suspended(.init(reason: "unpaid"))]
        case .deleting: return active + [.deletionRequested(.init(reason: "asked"))]
        case .deleted: return active + [.deletionRequested(.init(reason: "asked")), .deleted(.init())]
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let command: Organization.Command
        /// For each stage in the order of `Organization.Stage.allCases`.
        let verdicts: [Result<Int, Organization.Refusal>]
    }

    private static let rows: [Row] = {
        typealias Verdict = Result<Int, Organization.Refusal>
        func no(_ refusal: Organization.Refusal) -> Verdict { .failure(refusal) }
        let (one, same) = (Verdict.success(1), Verdict.success(0))
        let (none, again, asleep, dying) = (no(.notCreated), no(.alreadyCreated), no(.suspended), no(.deleting))
        let newKey = APIKeyIssued(key: IDSource.system.identifier(), hash: "i", scopes: ["read"], role: .viewer)
        let other: UserID = IDSource.system.identifier()
        func accepting(
            _ id: UInt128,
            _ hash: String = "h",
            at moment: Int64 = 99,
            by user: UserID
        ) -> Organization.Command {
            .acceptInvitation(UniqueID(id), tokenHash: hash, by: user, at: Timestamp(microseconds: moment))
        }
        func row(_ name: String, _ command: Organization.Command, _ verdicts: Verdict...) -> Row {
            Row(testDescription: name, command: command, verdicts: verdicts)
        }
        return [
            // absent, active, suspended, deleting, deleted
            row("create", .create(name: "Acme", slug: "acme", owner: owner), one, again, again, again, again),
            row("rename", .rename("Emca"), none, one, asleep, dying, dying),
            row("rename to the same", .rename("Acme"), none, same, asleep, dying, dying),
            row("add a member", .addMember(other, .viewer), none, one, asleep, dying, dying),
            row("add a member again", .addMember(friend, .admin), none, same, asleep, dying, dying),
            row("add a member as another", .addMember(friend, .viewer), none, no(.alreadyMember), asleep, dying, dying),
            row("change a role", .changeRole(friend, .auditor), none, one, asleep, dying, dying),
            row("change a stranger's role", .changeRole(other, .auditor), none, no(.notMember), asleep, dying, dying),
            row("demote the last owner", .changeRole(owner, .admin), none, no(.lastOwner), asleep, dying, dying),
            row("revoke all keys", .revokeAllKeys, none, .success(2), .success(2), .success(2), .success(2)),
            row("personal data erased", .markPersonalDataErased, none, one, one, one, one),
            row("remove a member", .removeMember(friend), none, one, asleep, dying, dying),
            row("remove a stranger", .removeMember(other), none, same, asleep, dying, dying),
            row("remove the last owner", .removeMember(owner), none, no(.lastOwner), asleep, dying, dying),
            row("give it to a friend", .transfer(to: friend, from: owner), none, .success(2), asleep, dying, dying),
            row(
                "give it to a stranger",
                .transfer(to: other, from: owner),
                none,
                no(.heirNotMember),
                asleep,
                dying,
                dying
            ),
            row(
                "give away what is another's",
                .transfer(to: owner, from: friend),
                none,
                no(.notOwner),
                asleep,
                dying,
                dying
            ),
            row("invite", .invite(invitation(2)), none, one, asleep, dying, dying),
            row("accept", accepting(1, by: other), none, .success(2), asleep, dying, dying),
            row("accept as a member", accepting(1, by: friend), none, no(.alreadyMember), asleep, dying, dying),
            row("accept another", accepting(2, by: other), none, no(.unknownInvitation), asleep, dying, dying),
            row(
                "accept with a guess",
                accepting(1, "g", by: other),
                none,
                no(.unknownInvitation),
                asleep,
                dying,
                dying
            ),
            row(
                "accept too late",
                accepting(1, at: 100, by: other),
                none,
                no(.invitationExpired),
                asleep,
                dying,
                dying
            ),
            row("take an invitation back", .revokeInvitation(UniqueID(1)), none, one, one, one, one),
            row("register a webhook", .registerWebhook(hook(2)), none, one, asleep, dying, dying),
            row("register the same webhook", .registerWebhook(hook(1)), none, same, asleep, dying, dying),
            row(
                "register what cannot be called",
                .registerWebhook(hook(2, "file:///etc/passwd")),
                none,
                no(.webhookMalformed),
                asleep,
                dying,
                dying
            ),
            row("enable what is enabled", .enableWebhook(UniqueID(1)), none, same, asleep, dying, dying),
            row(
                "rotate a secret",
                .rotateWebhookSecret(.init(webhook: UniqueID(1), secret: .init(subject: "organization-1", box: "x"))),
                none,
                one,
                asleep,
                dying,
                dying
            ),
            row("disable a webhook", .disableWebhook(UniqueID(1), reason: "x"), none, one, one, one, one),
            row(
                "disable what is none",
                .disableWebhook(UniqueID(2), reason: "x"),
                none,
                no(.unknownWebhook),
                no(.unknownWebhook),
                no(.unknownWebhook),
                no(.unknownWebhook)
            ),
            row("remove a webhook", .removeWebhook(UniqueID(1)), none, one, one, one, one),
            row("issue a key", .issueKey(newKey), none, one, asleep, dying, dying),
            row("issue the same key", .issueKey(key), none, same, asleep, dying, dying),
            row("revoke a key", .revokeKey(key.key), none, one, one, one, one),
            row(
                "revoke an unknown key",
                .revokeKey(newKey.key),
                none,
                no(.unknownKey),
                no(.unknownKey),
                no(.unknownKey),
                no(.unknownKey)
            ),
            row("link the same customer", .linkBillingCustomer("c1"), none, same, same, same, same),
            row(
                "link another customer",
                .linkBillingCustomer("c2"),
                none,
                no(.otherBillingCustomer),
                no(.otherBillingCustomer),
                no(.otherBillingCustomer),
                no(.otherBillingCustomer)
            ),
            row("suspend", .suspend(reason: "unpaid"), none, one, same, dying, dying),
            row("resume", .resume(reason: "paid"), none, same, one, dying, dying),
            row("ask to delete", .requestDeletion(reason: "asked"), none, one, one, same, same),
            row("deleted", .markDeleted, none, no(.deletionNotRequested), no(.deletionNotRequested), one, same),
        ]
    }()

    @Test("each command means the same in each stage as in the table", arguments: rows)
    func truthTable(row: Row) {
        #expect(row.verdicts.count == Organization.Stage.allCases.count)
        for (stage, verdict) in zip(Organization.Stage.allCases, row.verdicts) {
            let model = Organization(replaying: Self.history(of: stage))
            #expect(model.stage == stage)
            let actual: Result<Int, Organization.Refusal>
            do throws(Organization.Refusal) {
                actual = .success(try model.decide(row.command).count)
            } catch {
                actual = .failure(error)
            }
            #expect(actual == verdict, "\(row.testDescription) while \(stage)")
        }
    }

    @Test("who creates an organization owns it")
    func owner() {
        #expect(Organization(replaying: [Self.created]).members == [Self.owner: .owner])
    }

    @Test("one of two owners can go, the other cannot")
    func twoOwners() {
        let promoted = OrganizationEvent.memberRoleChanged(.init(user: Self.friend, role: .owner))
        let two = [Self.created, Self.befriended, promoted]
        given(Organization.self, after: two)
            .when(.removeMember(Self.owner)).then(.memberRemoved(.init(user: Self.owner)))
        given(Organization.self, after: two + [.memberRemoved(.init(user: Self.owner))])
            .when(.removeMember(Self.friend)).refused(.lastOwner)
    }

    @Test("a name is 1 to 100 characters", arguments: ["", String(repeating: "x", count: 101), "a\u{1B}b"])
    func names(name: String) {
        given(Organization.self).when(.create(name: name, slug: "acme", owner: Self.owner)).refused(.nameMalformed)
        given(Organization.self, Self.created).when(.rename(name)).refused(.nameMalformed)
    }

    @Test("a revoked key stays revoked, and its id is never another key's")
    func revokedKeys() {
        let revoked = [Self.created, .apiKeyIssued(Self.key), .apiKeyRevoked(.init(key: Self.key.key))]
        given(Organization.self, after: revoked).when(.revokeKey(Self.key.key)).then()
        given(Organization.self, after: revoked).when(.issueKey(Self.key)).refused(.keyExists)
    }

    @Test("a key of an organization has a role")
    func keyWithoutRole() {
        var key = Self.key
        key.role = nil
        given(Organization.self, Self.created).when(.issueKey(key)).refused(.keyWithoutRole)
    }

    @Test("an accepted invitation makes a member with the role that was offered")
    func invitation() {
        let invitation = IDSource.system.unique()
        let sent = OrganizationEvent.InvitationSent(
            invitation: invitation,
            tokenHash: "h",
            role: .developer,
            expiresAt: Timestamp(microseconds: 0)
        )
        let model = Organization(replaying: [
            Self.created, .invitationSent(sent),
            .invitationAccepted(.init(invitation: invitation, user: Self.friend)),
        ])
        #expect(model.members[Self.friend] == .developer)
    }
}
