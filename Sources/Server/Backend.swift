package import Commands
package import Domain
package import Kernel
package import Platform
package import Projections
package import Sagas

/// Everything the API asks of the rest of the plane, as functions that the composition root fills in.
///
/// What is left out answers that it is unavailable, so a test sets only what it is about.
package struct Backend: Sendable {
    package var commands = CommandDoor()
    package var reads = ReadDoor()
    package var events = EventDoor()
    package var plane = PlaneDoor()
    package var sagas = SagaDoor()
    package var targets = TargetDoor()
    package var resources = ResourceDoor()
    package var projections = ProjectionDoor()
    package var audit = AuditDoor()
    package var refusals = RefusalDoor()
    package var keyUses = KeyUseDoor()
    package var webhooks = WebhookDoor()
    /// Looks at everything outside that an instance needs; whether it should run is told.
    package var checks: @Sendable (InstanceID, Bool) async -> Result<[InstanceCheck], PortError> =
        { _, _ in .failure(.transient(code: "unavailable", message: "nobody looks")) }
    /// Whose tokens are good; nobody's when it is not set.
    package var tokens: TokenVerifier?
    /// How browsers sign in; they do not when it is not set.
    package var signIn: SignIn?
    package var catalogue: Catalogue

    package init(catalogue: Catalogue) {
        self.catalogue = catalogue
    }
}

/// The commands that clients may give.
package struct CommandDoor: Sendable {
    package typealias Envelope = CommandEnvelope

    /// Name, slug, code of the price.
    package var onboard: @Sendable (String, String, String, Envelope) async throws(CommandError) -> Receipt<Onboarded> =
        { _, _, _, _ throws(CommandError) in throw .unavailable }
    /// Name, slug.
    package var createOrganization:
        @Sendable (String, String, Envelope) async throws(CommandError) -> Receipt<OrganizationCreated> =
            { _, _, _ throws(CommandError) in throw .unavailable }
    package var renameOrganization:
        @Sendable (OrganizationID, String, Envelope) async throws(CommandError) -> Receipt<Done> =
            { _, _, _ throws(CommandError) in throw .unavailable }
    /// Name of the instance, code of the price.
    package var requestInstance:
        @Sendable (OrganizationID, String, String, Envelope) async throws(CommandError) -> Receipt<InstanceRequested> =
            { _, _, _, _ throws(CommandError) in throw .unavailable }
    package var retryInstance:
        @Sendable (InstanceID, Envelope) async throws(CommandError) -> Receipt<OperationStarted> =
            { _, _ throws(CommandError) in throw .unavailable }
    package var stopInstance: @Sendable (InstanceID, Envelope) async throws(CommandError) -> Receipt<OperationStarted> =
        { _, _ throws(CommandError) in throw .unavailable }
    package var startInstance:
        @Sendable (InstanceID, Envelope) async throws(CommandError) -> Receipt<OperationStarted> =
            { _, _ throws(CommandError) in throw .unavailable }
    package var pauseSubscription:
        @Sendable (SubscriptionID, Envelope) async throws(CommandError) -> Receipt<OperationStarted> =
            { _, _ throws(CommandError) in throw .unavailable }
    package var resumeSubscription:
        @Sendable (SubscriptionID, Envelope) async throws(CommandError) -> Receipt<OperationStarted> =
            { _, _ throws(CommandError) in throw .unavailable }
    package var terminateInstance:
        @Sendable (InstanceID, Envelope) async throws(CommandError) -> Receipt<OperationStarted> =
            { _, _ throws(CommandError) in throw .unavailable }
    /// Whether at once.
    package var cancelSubscription:
        @Sendable (SubscriptionID, Bool, Envelope) async throws(CommandError) -> Receipt<OperationStarted> =
            { _, _, _ throws(CommandError) in throw .unavailable }
    package var deleteOrganization:
        @Sendable (OrganizationID, Envelope) async throws(CommandError) -> Receipt<OperationStarted> =
            { _, _ throws(CommandError) in throw .unavailable }
    /// The instance, the code of the price, which way it may lead.
    package var changePlan:
        @Sendable (InstanceID, String, CommandDesk.Direction, Envelope) async throws(CommandError) -> Receipt<
            OperationStarted
        > = { _, _, _, _ throws(CommandError) in throw .unavailable }
    /// The subscription, the code of the price.
    package var changeSubscriptionPlan:
        @Sendable (SubscriptionID, String, Envelope) async throws(CommandError) -> Receipt<OperationStarted> =
            { _, _, _ throws(CommandError) in throw .unavailable }
    package var cancelScheduledChange: @Sendable (InstanceID, Envelope) async throws(CommandError) -> Receipt<Done> =
        { _, _ throws(CommandError) in throw .unavailable }
    package var rotateCredentials:
        @Sendable (InstanceID, Envelope) async throws(CommandError) -> Receipt<OperationStarted> =
            { _, _ throws(CommandError) in throw .unavailable }
    /// The instance, the version, how it takes the place of the other.
    package var changeRelease:
        @Sendable (InstanceID, String, ReleaseStrategy, Envelope) async throws(CommandError) -> Receipt<
            OperationStarted
        > = { _, _, _, _ throws(CommandError) in throw .unavailable }
    /// The release, whether it is to be the default.
    package var registerRelease:
        @Sendable (ReleaseEvent.Registered, Bool, Envelope) async throws(CommandError) -> Receipt<Done> =
            { _, _, _ throws(CommandError) in throw .unavailable }
    package var setDefaultRelease: @Sendable (String, Envelope) async throws(CommandError) -> Receipt<Done> =
        { _, _ throws(CommandError) in throw .unavailable }
    package var changeReleaseStatus:
        @Sendable (String, ReleaseStatus, Envelope) async throws(CommandError) -> Receipt<Done> =
            { _, _, _ throws(CommandError) in throw .unavailable }
    package var startRollout: @Sendable (RolloutWish, Envelope) async throws(CommandError) -> Receipt<RolloutStarted> =
        { _, _ throws(CommandError) in throw .unavailable }
    package var steerRollout:
        @Sendable (RolloutID, RolloutWord, String, Envelope) async throws(CommandError) -> Receipt<Done> =
            { _, _, _, _ throws(CommandError) in throw .unavailable }
    package var changeRole:
        @Sendable (OrganizationID, UserID, Role, Envelope) async throws(CommandError) -> Receipt<Done> =
            { _, _, _, _ throws(CommandError) in throw .unavailable }
    package var removeMember: @Sendable (OrganizationID, UserID, Envelope) async throws(CommandError) -> Receipt<Done> =
        { _, _, _ throws(CommandError) in throw .unavailable }
    package var transferOrganization:
        @Sendable (OrganizationID, UserID, Envelope) async throws(CommandError) -> Receipt<Done> =
            { _, _, _ throws(CommandError) in throw .unavailable }
    // No typed throws, as in ``SagaDoor``.
    /// The organization, the role, for how many days.
    package var invite:
        @Sendable (OrganizationID, Role, Int64, Envelope) async -> Result<Receipt<InvitationShown>, CommandError> =
            { _, _, _, _ in .failure(.unavailable) }
    /// The organization, the invitation.
    package var revokeInvitation:
        @Sendable (OrganizationID, String, Envelope) async -> Result<Receipt<Done>, CommandError> =
            { _, _, _ in .failure(.unavailable) }
    /// The token.
    package var acceptInvitation:
        @Sendable (String, Envelope) async -> Result<Receipt<InvitationAccepted>, CommandError> =
            { _, _ in .failure(.unavailable) }
    /// The organization, the reason.
    package var suspendOrganization:
        @Sendable (OrganizationID, String, Envelope) async throws(CommandError) -> Receipt<Done> =
            { _, _, _ throws(CommandError) in throw .unavailable }
    package var resumeOrganization:
        @Sendable (OrganizationID, String, Envelope) async throws(CommandError) -> Receipt<Done> =
            { _, _, _ throws(CommandError) in throw .unavailable }
    /// First and last name; what is not given stays.
    package var updateProfile:
        @Sendable (UserID, String?, String?, Envelope) async throws(CommandError) -> Receipt<Done> =
            { _, _, _, _ throws(CommandError) in throw .unavailable }
    /// The person with an identity, registered if need be; `nil` for who was erased.
    package var person: @Sendable (TokenIdentity) async throws(CommandError) -> UserID? =
        { _ throws(CommandError) in throw .unavailable }
    /// Whether there is such a person, who was not erased.
    package var isRegistered: @Sendable (UserID) async throws(CommandError) -> Bool =
        { _ throws(CommandError) in throw .unavailable }
    package var profile: @Sendable (UserID) async throws(CommandError) -> Profile =
        { _ throws(CommandError) in throw .unavailable }
    package var issuePlatformKey:
        @Sendable (PlatformRole, KeyWish, Envelope) async throws(CommandError) -> Receipt<KeyShown> =
            { _, _, _ throws(CommandError) in throw .unavailable }
    package var revokePlatformKey: @Sendable (KeyID, Envelope) async throws(CommandError) -> Receipt<Done> =
        { _, _ throws(CommandError) in throw .unavailable }
    package var issueUserKey: @Sendable (UserID, KeyWish, Envelope) async throws(CommandError) -> Receipt<KeyShown> =
        { _, _, _ throws(CommandError) in throw .unavailable }
    package var issueOrganizationKey:
        @Sendable (OrganizationID, Role, KeyWish, Envelope) async throws(CommandError) -> Receipt<KeyShown> =
            { _, _, _, _ throws(CommandError) in throw .unavailable }
    package var revokeUserKey: @Sendable (UserID, KeyID, Envelope) async throws(CommandError) -> Receipt<Done> =
        { _, _, _ throws(CommandError) in throw .unavailable }
    package var revokeOrganizationKey:
        @Sendable (OrganizationID, KeyID, Envelope) async throws(CommandError) -> Receipt<Done> =
            { _, _, _ throws(CommandError) in throw .unavailable }
    /// The subject, the reason.
    package var eraseSubject: @Sendable (String, String, Envelope) async throws(CommandError) -> Receipt<Erased> =
        { _, _, _ throws(CommandError) in throw .unavailable }
    /// The positions, the reason.
    package var erasePositions: @Sendable ([Int64], String, Envelope) async throws(CommandError) -> Receipt<Erased> =
        { _, _, _ throws(CommandError) in throw .unavailable }
    package var slugAvailability: @Sendable (String) async throws(CommandError) -> SlugAvailability =
        { _ throws(CommandError) in throw .unavailable }

    package init() {}
}

/// What a new key may be used for, and how long.
package struct KeyWish: Sendable, Equatable {
    package var scopes: Set<String>
    package var expiresAt: Timestamp?

    package init(scopes: Set<String>, expiresAt: Timestamp? = nil) {
        self.scopes = scopes
        self.expiresAt = expiresAt
    }
}

/// The questions that the read models answer.
package struct ReadDoor: Sendable {
    package typealias OrganizationList = Reading<Page<OrganizationView>>
    package typealias InstanceList = Reading<Page<InstanceView>>
    package typealias OperationList = Reading<Page<OperationView>>

    /// Returns once these read models have passed a position, or fails as `behind` when the time is over.
    package var wait: @Sendable (Int64, Duration, [any Projection.Type]) async throws(ReadError) -> Void =
        { _, _, _ throws(ReadError) in throw .unavailable }
    package var position: @Sendable () async throws(ReadError) -> Int64 =
        { () throws(ReadError) in throw .unavailable }
    package var role: @Sendable (UserID, OrganizationID) async throws(ReadError) -> Role? =
        { _, _ throws(ReadError) in throw .unavailable }
    /// Whether an organization is deleted that a user was a member of to the end.
    package var outlived: @Sendable (OrganizationID, UserID) async throws(ReadError) -> Bool =
        { _, _ throws(ReadError) in throw .unavailable }
    package var key: @Sendable (KeyID) async throws(ReadError) -> KeyRecord? =
        { _ throws(ReadError) in throw .unavailable }
    package var keys: @Sendable (KeyRecord.Owner, PageRequest) async throws(ReadError) -> Reading<Page<KeyView>> =
        { _, _ throws(ReadError) in throw .unavailable }
    package var organization: @Sendable (OrganizationID) async throws(ReadError) -> Reading<OrganizationView?> =
        { _ throws(ReadError) in throw .unavailable }
    /// Of one user, or all.
    package var organizations: @Sendable (UserID?, PageRequest) async throws(ReadError) -> OrganizationList =
        { _, _ throws(ReadError) in throw .unavailable }
    package var members: @Sendable (OrganizationID, PageRequest) async throws(ReadError) -> Reading<Page<MemberView>> =
        { _, _ throws(ReadError) in throw .unavailable }
    package var invitations:
        @Sendable (OrganizationID, PageRequest) async throws(ReadError) -> Reading<Page<InvitationView>> =
            { _, _ throws(ReadError) in throw .unavailable }
    package var instance: @Sendable (InstanceID) async throws(ReadError) -> Reading<InstanceView?> =
        { _ throws(ReadError) in throw .unavailable }
    package var instances: @Sendable (OrganizationID, PageRequest) async throws(ReadError) -> InstanceList =
        { _, _ throws(ReadError) in throw .unavailable }
    package var history: @Sendable (InstanceID, PageRequest) async throws(ReadError) -> Reading<Page<TimelineEntry>> =
        { _, _ throws(ReadError) in throw .unavailable }
    package var subscription: @Sendable (SubscriptionID) async throws(ReadError) -> Reading<SubscriptionView?> =
        { _ throws(ReadError) in throw .unavailable }
    package var organizationThen:
        @Sendable (OrganizationID, Moment) async throws(ReadError) -> Reading<OrganizationView?> =
            { _, _ throws(ReadError) in throw .unavailable }
    package var instanceThen: @Sendable (InstanceID, Moment) async throws(ReadError) -> Reading<InstanceView?> =
        { _, _ throws(ReadError) in throw .unavailable }
    package var subscriptionThen:
        @Sendable (SubscriptionID, Moment) async throws(ReadError) -> Reading<SubscriptionView?> =
            { _, _ throws(ReadError) in throw .unavailable }
    // No typed throws, as in ``SagaDoor``.
    package var instancesThen:
        @Sendable (OrganizationID, Moment, PageRequest) async -> Result<InstanceList, ReadError> =
            { _, _, _ in .failure(.unavailable) }
    package var organizationsThen: @Sendable (Moment, PageRequest) async -> Result<OrganizationList, ReadError> =
        { _, _ in .failure(.unavailable) }
    package var operation: @Sendable (UniqueID) async throws(ReadError) -> Reading<OperationView?> =
        { _ throws(ReadError) in throw .unavailable }
    /// Of some organizations, or of all.
    package var operations:
        @Sendable ([OrganizationID]?, OperationView.Status?, PageRequest) async throws(ReadError) -> OperationList =
            { _, _, _ throws(ReadError) in throw .unavailable }
    package var rollout: @Sendable (RolloutID) async throws(ReadError) -> Reading<RolloutView?> =
        { _ throws(ReadError) in throw .unavailable }
    package var rollouts: @Sendable (PageRequest) async throws(ReadError) -> Reading<Page<RolloutView>> =
        { _ throws(ReadError) in throw .unavailable }
    package var auditLog:
        @Sendable (OrganizationID?, String?, PageRequest) async throws(ReadError) -> Reading<Page<AuditEntry>> =
            { _, _, _ throws(ReadError) in throw .unavailable }
    package var databases:
        @Sendable (DatabaseView.Status?, PageRequest) async throws(ReadError) -> Reading<Page<DatabaseView>> =
            { _, _ throws(ReadError) in throw .unavailable }
    package var releases: @Sendable () async throws(ReadError) -> Reading<[ReleaseView]> =
        { () throws(ReadError) in throw .unavailable }
    package var projections: @Sendable () async throws(ReadError) -> [ProjectionState] =
        { () throws(ReadError) in throw .unavailable }
    /// Every published route, unless the read model has not passed the position.
    package var routes: @Sendable (Int64) async throws(ReadError) -> Reading<[RouteView]> =
        { _ throws(ReadError) in throw .unavailable }

    package init() {}
}

/// What the plane tells about itself.
package struct PlaneDoor: Sendable {
    /// Something that must work before requests are welcome.
    package struct Check: Sendable, Equatable {
        package var name: String
        /// What is wrong, for people; `nil` when nothing is.
        package var problem: String?

        package init(_ name: String, problem: String? = nil) {
            self.name = name
            self.problem = problem
        }
    }

    /// What is wrong with the database; `nil` when it answers.
    package var databaseProblem: @Sendable () async -> String? = { nil }
    /// Everything that readiness depends on besides the database.
    package var checks: @Sendable () async -> [Check] = { [] }
    /// The metrics in Prometheus' text format.
    package var metrics: @Sendable () -> String = { "" }
    /// The same as OpenMetrics.
    package var openMetrics: @Sendable () -> String = { "# EOF\n" }
    /// Told of every request that was answered; it must not take its time.
    package var served: @Sendable (ServedRequest) -> Void = { _ in }
    /// The dynamic configuration of the edge for these routes: the same routes always give the same bytes.
    package var edgeDocument: @Sendable ([RouteView]) -> [UInt8] = { _ in Array("{}".utf8) }

    package init() {}
}
