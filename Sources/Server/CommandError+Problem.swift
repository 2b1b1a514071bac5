internal import Commands
internal import Domain
internal import HTTPTypes

/// How each refusal looks over HTTP; a new one does not compile until it has a place here.
extension CommandError: ProblemConvertible {
    package var problem: Problem {
        switch self {
        case .organization(let refusal): refusal.problem
        case .user(let refusal): refusal.problem
        case .subscription(let refusal): refusal.problem
        case .instance(let refusal): refusal.problem
        case .release(let refusal): refusal.problem
        case .rollout(let refusal): refusal.problem
        case .platformKeys(let refusal): refusal.problem
        case .slug(.malformed):
            .invalid([.init("is not a DNS label of lower-case letters, digits and dashes", pointer: "#/slug")])
        case .slug(.reserved):
            Problem("slug-reserved", status: .unprocessableContent, title: "The slug is reserved")
        case .slugTaken: Problem("slug-taken", status: .conflict, title: "The slug belongs to another organization")
        case .hostTaken: Problem("host-taken", status: .conflict, title: "The host name belongs to another instance")
        case .identityTaken:
            Problem("identity-taken", status: .conflict, title: "Somebody is registered with this identity already")
        case .scopesMalformed:
            .invalid([.init("must be `*`, or some of read and write", pointer: "#/scopes")])
        case .erasure(let refusal): refusal.problem
        case .unknownPrice:
            Problem(
                "unknown-price",
                status: .unprocessableContent,
                title: "The catalogue has no such price",
                faults: [.init("is not the id of a price", pointer: "#/priceId")]
            )
        case .conflict(let actual): .preconditionFailed(version: actual)
        case .commandReused: .keyReused
        case .notFound: .notFound
        case .forbidden: .forbidden
        case .unavailable: .unavailable(cause: self)
        case .broken: .internalError(self)
        }
    }
}

extension Organization.Refusal: ProblemConvertible {
    package var problem: Problem {
        switch self {
        case .alreadyCreated: .conflict("organization-exists", "The organization already exists")
        case .notCreated: .notFound
        case .nameMalformed:
            .invalid([.init("must have 1 to 100 characters and no control characters", pointer: "#/name")])
        case .suspended: .conflict("organization-suspended", "The organization is suspended")
        case .deleting: .conflict("organization-deleting", "The organization is being deleted")
        case .alreadyMember: .conflict("already-member", "The user belongs to the organization already")
        case .notMember, .unknownInvitation, .unknownWebhook: .notFound
        case .heirNotMember: .invalid([.init("is not a member of the organization", pointer: "#/userId")])
        case .notOwner: .forbidden
        case .invitationExpired: Problem("invitation-expired", status: .gone, title: "The invitation has expired")
        case .tooManyInvitations: .conflict("too-many-invitations", "The organization has too many open invitations")
        case .webhookMalformed:
            .invalid([
                .init(
                    "must be an address of https, without a user, and types must be those of events",
                    pointer: "#/url"
                )
            ])
        case .tooManyWebhooks: .conflict("too-many-webhooks", "The organization has too many webhooks")
        case .lastOwner: .conflict("last-owner", "An organization is never without an owner")
        case .keyWithoutRole: .invalid([.init("is required", pointer: "#/role")])
        case .keyExists: .conflict("key-exists", "The key already exists")
        case .unknownKey: .notFound
        case .otherBillingCustomer:
            .conflict("other-billing-customer", "Billing knows the organization as another customer")
        case .deletionNotRequested: .conflict("deletion-not-requested", "Nobody asked to delete the organization")
        }
    }
}

extension User.Refusal: ProblemConvertible {
    package var problem: Problem {
        switch self {
        case .alreadyRegistered: .conflict("user-exists", "The user is registered already")
        case .notRegistered, .unknownKey: .notFound
        case .erased: Problem("user-erased", status: .gone, title: "The user was erased")
        case .keyExists: .conflict("key-exists", "The key already exists")
        case .nameTooLong: .invalid([.init("must have at most 100 characters", pointer: "#/name")])
        }
    }
}

extension Subscription.Refusal: ProblemConvertible {
    package var problem: Problem {
        switch self {
        case .alreadyRequested: .conflict("subscription-exists", "The subscription already exists")
        case .notRequested: .notFound
        case .notDrafted: .conflict("subscription-not-drafted", "Billing does not know the subscription yet")
        case .otherDraft: .conflict("subscription-other-draft", "Billing has another draft of the subscription")
        case .staleGeneration: .conflict("stale-generation", "The instance was tried again in the meantime")
        case .notActive: .conflict("subscription-not-active", "The subscription is not active")
        case .active: .conflict("subscription-active", "The subscription is active")
        case .notCancelled: .conflict("subscription-not-cancelled", "The subscription is not cancelled")
        case .cancellationRequested:
            .conflict("cancellation-requested", "The end of the subscription is agreed on already")
        case .lowerRank: .conflict("lower-rank", "The plan is smaller: it can be had by a downgrade")
        case .higherRank: .conflict("higher-rank", "The plan is larger: it can be had by an upgrade")
        case .samePlan: .conflict("same-plan", "The subscription has this plan already")
        case .changePending: .conflict("change-pending", "Another change of the plan is scheduled or being made")
        case .nothingScheduled: .conflict("nothing-scheduled", "No change of the plan is scheduled, and no end")
        case .tooLate: .conflict("too-late", "The end of the subscription has come")
        case .abandoned: .conflict("subscription-abandoned", "The subscription was abandoned")
        case .over: .conflict("subscription-over", "The subscription has ended")
        }
    }
}

extension Instance.Refusal: ProblemConvertible {
    package var problem: Problem {
        switch self {
        case .alreadyRequested: .conflict("instance-exists", "The instance already exists")
        case .notRequested: .notFound
        case .nameMalformed:
            .invalid([.init("must be a letter and at most 15 letters and digits, all lower-case", pointer: "#/name")])
        case .generationMalformed: .conflict("generation-malformed", "The generation does not follow the one before")
        case .notFailed: .conflict("instance-not-failed", "Only a failed provisioning can be tried again")
        case .notProvisioning: .conflict("instance-not-provisioning", "The instance is not being provisioned")
        case .staleGeneration: .conflict("stale-generation", "The instance was tried again in the meantime")
        case .otherCredentials: .conflict("other-credentials", "The instance has other credentials")
        case .notRunning: .conflict("instance-not-running", "The instance does not run")
        case .changing: .conflict("instance-changing", "The instance is being changed")
        case .notChanging: .conflict("instance-not-changing", "The instance is not being changed")
        case .notStopped: .conflict("instance-not-stopped", "Only a stopped instance can be started")
        case .notAsked: .conflict("not-asked", "Nobody asked for this, or it is over")
        case .slotMisplaced: .conflict("slot-misplaced", "The slot cannot come to where it is said to be")
        case .staleEpoch: .conflict("stale-epoch", "The scheduler lease has been handed over since")
        case .sameRelease: .conflict("release-unchanged", "The instance runs the version already")
        case .terminating: .conflict("instance-terminating", "The instance is being terminated")
        case .terminated: Problem("instance-terminated", status: .gone, title: "The instance is terminated")
        }
    }
}

extension Release.Refusal: ProblemConvertible {
    package var problem: Problem {
        switch self {
        case .unknownVersion: .conflict("unknown-version", "There is no such version")
        case .alreadyRegistered: .conflict("version-exists", "The version is registered with another content")
        case .malformedVersion: .invalid([.init("is not a version", pointer: "#/version")])
        case .malformedImage: .invalid([.init("is not the name of an image", pointer: "#/image")])
        case .endOfLife: .conflict("version-end-of-life", "The version has reached its end of life")
        case .isDefault: .conflict("version-is-default", "The version is the default")
        case .noDefault: .conflict("no-default-version", "No version is the default")
        case .tierTooLow: .conflict("tier-too-low", "The plan is too small for the version")
        }
    }
}

extension Rollout.Refusal: ProblemConvertible {
    package var problem: Problem {
        switch self {
        case .alreadyStarted: .conflict("rollout-exists", "The roll-out was started already")
        case .notStarted: .notFound
        case .wavesMalformed:
            .invalid([.init("must be 1 to 8 of `N` or `N%`, no share smaller than the one before", pointer: "#/waves")])
        case .figuresMalformed: .invalid([.init("must not be negative", pointer: "#/bakeSeconds")])
        case .notPaused: .conflict("rollout-not-paused", "The roll-out is not paused")
        case .notRunning: .conflict("rollout-not-running", "The roll-out is not running")
        case .anotherRuns: .conflict("rollout-under-way", "Another roll-out is not over: let it finish, or abort it")
        case .aborted: .conflict("rollout-aborted", "The roll-out was aborted")
        case .finished: .conflict("rollout-finished", "The roll-out is finished")
        }
    }
}

extension Erasures.Refusal: ProblemConvertible {
    package var problem: Problem {
        switch self {
        case .unknownSubject:
            Problem("unknown-subject", status: .notFound, title: "Nothing was ever sealed for this subject")
        case .unknownPosition(let position):
            Problem(
                "unknown-position",
                status: .notFound,
                title: "The log has no such event",
                detail: "There is none at \(position)."
            )
        case .recordOfErasure(let position):
            Problem(
                "record-of-erasure",
                status: .conflict,
                title: "The record of an erasure stays",
                detail: "The event at \(position) records one."
            )
        case .positionsMalformed: .invalid([.init("must be 1 to 1000 positions", pointer: "#/positions")])
        case .reasonMalformed:
            .invalid([.init("must have 1 to 500 characters and no control characters", pointer: "#/reason")])
        }
    }
}

extension PlatformKeys.Refusal: ProblemConvertible {
    package var problem: Problem {
        switch self {
        case .unknownKey: .notFound
        case .keyExists: .conflict("key-exists", "The key already exists")
        }
    }
}

extension Problem {
    fileprivate static func conflict(_ slug: String, _ title: String) -> Problem {
        Problem(slug, status: .conflict, title: title)
    }

    /// The same problem with its pointers below another member of the body.
    func below(_ member: String) -> Problem {
        var problem = self
        for index in problem.faults.indices {
            if let pointer = faults[index].pointer, pointer.hasPrefix("#/") {
                problem.faults[index].pointer = "#/\(member)/" + pointer.dropFirst(2)
            }
        }
        return problem
    }
}
