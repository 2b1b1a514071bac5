internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Sagas

extension Route {
    /// Every problem that the route can answer, each kind once: of its access, its parameters and its body, and those of what
    /// it is about.
    package var problems: [Problem] {
        var found: [Problem] = [.internalError(Unknown()), .unavailable(), .invalid([]), .badRequest("")]
        if access != .open { found.append(.unauthenticated) }
        if !places.isEmpty { found.append(.notFound) }
        if path == "/v1/events/{position}/proof" || path.hasPrefix("/audit/") { found.append(.notSealed) }
        if path == "/auth/login" || path == "/auth/callback" { found += [.signInOff, .signInFailed] }
        if body != nil { found += [.malformedJSON(""), .bodyTooLarge(limit: 0), .notJSON] }
        if access != .open, access != .edge {
            // Whoever names what belongs to somebody else is told that it is not there.
            found += [.forbidden, .notFound, .quotaExceeded(.example)]
            found += method == .get ? readProblems : writeProblems
        }
        var seen: Set<String> = []
        return found.filter { seen.insert($0.slug).inserted }
    }

    private struct Unknown: Error {}

    private var readProblems: [Problem] {
        let names = Set(parameters.map(\.name))
        var found: [Problem] = [.behind(at: 0, wanted: 0)]
        if names.contains("after") { found += [.badCursor, .historyForked] }
        if !names.isDisjoint(with: ["as_of", "position", "version", "from", "to"]) { found.append(.notYet("")) }
        return found
    }

    private var writeProblems: [Problem] {
        var found: [Problem] = [
            .badHeader(.ifMatch, ""), .keyReused, .keyInUse, .preconditionFailed(version: nil), .crossSite,
        ]
        if method == .patch { found.append(.preconditionRequired) }
        for (prefix, problems) in Self.topics where path.hasPrefix(prefix) { found += problems }
        return found
    }

    /// What is refused to people, by what they ask about.
    private static let topics: [(String, [Problem])] = [
        ("/v1/onboarding", Problem.ofOrganizations + Problem.ofNames + Problem.ofReleases + Problem.ofUsers),
        ("/v1/organizations", Problem.ofOrganizations + Problem.ofNames + Problem.ofReleases + Problem.ofUsers),
        ("/v1/invitations", Problem.ofOrganizations + Problem.ofUsers),
        ("/v1/me", Problem.ofUsers),
        ("/v1/instances", Problem.ofInstances + Problem.ofSubscriptions + Problem.ofReleases + Problem.ofOrganizations),
        (
            "/v1/subscriptions",
            Problem.ofInstances + Problem.ofSubscriptions + Problem.ofReleases + Problem.ofOrganizations
        ),
        ("/v1/operations", [Problem.ofSagas]),
        ("/v1/admin/organizations", Problem.ofOrganizations),
        ("/v1/admin/api-keys", [PlatformKeys.Refusal.keyExists.problem]),
        ("/v1/admin/releases", Problem.ofReleases),
        ("/v1/admin/rollouts", Problem.ofRollouts + Problem.ofReleases),
        ("/v1/admin/erasures", Problem.ofErasures),
        ("/v1/admin/sagas", [Problem.ofSagas, .preconditionRequired]),
        ("/v1/admin/targets", [Problem.ofSagas, .preconditionRequired]),
        ("/v1/admin/projections", [Problem.rebuildImpossible("")]),
        (
            "/user/instance",
            Problem.ofInstances + Problem.ofSubscriptions + Problem.ofReleases + Problem.ofOrganizations
        ),
        ("/user/onboarding", Problem.ofOrganizations + Problem.ofNames + Problem.ofReleases + Problem.ofUsers),
        ("/user/profile", Problem.ofUsers),
        ("/admin/rollout", Problem.ofRollouts + Problem.ofReleases),
    ]
}

extension Problem {
    /// Every kind of problem that there is, by slug.
    package static let catalogue: [String: Problem] = {
        let kinds: [Problem] =
            [
                .routeUnknown, .notFound, .methodNotAllowed(allow: []), .malformedJSON(""), .badRequest(""),
                .badHeader(.ifMatch, ""), .badCursor, .historyForked, .notYet(""), .invalid([]),
                .bodyTooLarge(limit: 0),
                .quotaExceeded(.example), .notJSON, .unauthenticated, .forbidden, .crossSite,
                .signInOff, .signInFailed, .preconditionRequired,
                .preconditionFailed(version: nil), .keyReused, .keyInUse, .unavailable(), .behind(at: 0, wanted: 0),
                .internalError(CommandError.notFound), .notSealed, .rebuildImpossible(""), ofSagas,
                PlatformKeys.Refusal.keyExists.problem,
            ] + ofOrganizations + ofNames + ofUsers + ofInstances + ofSubscriptions + ofReleases + ofRollouts
            + ofErasures
            + ofProcesses
        return Dictionary(kinds.map { ($0.slug, $0) }) { first, _ in first }
    }()

    fileprivate static let ofSagas = SagaOperationError.notPossible("").problem

    fileprivate static let ofOrganizations: [Problem] = problems([
        Organization.Refusal.suspended, .deleting, .alreadyMember, .invitationExpired, .tooManyInvitations,
        .tooManyWebhooks, .lastOwner,
        .keyExists,
    ])

    fileprivate static let ofNames: [Problem] = problems([
        CommandError.slugTaken, .hostTaken, .slug(.reserved), .unknownPrice,
    ])

    fileprivate static let ofUsers: [Problem] = problems([User.Refusal.erased, .keyExists])

    fileprivate static let ofInstances: [Problem] = problems([
        Instance.Refusal.notFailed, .notRunning, .changing, .notStopped, .notAsked, .sameRelease, .terminating,
        .terminated,
        .notProvisioning,
    ])

    fileprivate static let ofSubscriptions: [Problem] = problems([
        Subscription.Refusal.notActive, .notCancelled, .cancellationRequested, .lowerRank, .higherRank, .samePlan,
        .changePending, .nothingScheduled, .tooLate, .abandoned, .over,
    ])

    fileprivate static let ofReleases: [Problem] = problems([
        Release.Refusal.unknownVersion, .alreadyRegistered, .endOfLife, .isDefault, .noDefault, .tierTooLow,
    ])

    fileprivate static let ofRollouts: [Problem] = problems([
        Rollout.Refusal.notPaused, .notRunning, .anotherRuns, .aborted, .finished,
    ])

    fileprivate static let ofErasures: [Problem] = problems([
        Erasures.Refusal.unknownSubject(""), .unknownPosition(0), .recordOfErasure(0),
    ])

    /// What only our own processes can run into: ids that are made twice, and facts that come too late.
    fileprivate static let ofProcesses: [Problem] =
        problems([Organization.Refusal.alreadyCreated, .otherBillingCustomer, .deletionNotRequested])
        + problems([
            Instance.Refusal.alreadyRequested, .generationMalformed, .staleGeneration, .otherCredentials, .notChanging,
            .slotMisplaced, .staleEpoch,
        ])
        + problems([Subscription.Refusal.alreadyRequested, .notDrafted, .otherDraft, .active, .staleGeneration])
        + problems([User.Refusal.alreadyRegistered]) + problems([Rollout.Refusal.alreadyStarted])
        + problems([CommandError.identityTaken])

    private static func problems(_ refusals: [some ProblemConvertible]) -> [Problem] { refusals.map(\.problem) }
}

extension Problem {
    /// What the problem looks like to clients.
    var example: JSONValue {
        var shown = self
        if shown.detail?.isEmpty == true { shown.detail = nil }
        return shown.document(request: "0190f2d4-3a8e-7cc1-8f00-0123456789ab")
    }
}

extension RateLimiter.Share {
    fileprivate static let example = Self(policy: .commands, quota: 300, remaining: 0, seconds: 1, isRefused: true)
}
