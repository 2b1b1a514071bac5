package import Kernel

/// What the writer believed about a stream when it decided.
package enum ExpectedVersion: Sendable, Equatable {
    /// Whatever it is.
    case any
    /// It has at least one event.
    case exists
    /// It has no event (the same as `version(0)`).
    case none
    /// It has exactly so many events.
    case version(Int64)
}

/// One event to be written.
package struct NewEvent: Sendable, Equatable {
    package var id: UniqueID
    /// `category.kebab-case`, as in `instance.running`.
    package var type: String
    package var schemaVersion: Int16
    /// UTF-8 JSON, stored byte for byte.
    package var payload: [UInt8]

    package init(id: UniqueID, type: String, schemaVersion: Int16 = 1, payload: [UInt8]) {
        self.id = id
        self.type = type
        self.schemaVersion = schemaVersion
        self.payload = payload
    }
}

/// What one request does to one stream; without events it only expects.
package struct StreamWrite: Sendable, Equatable {
    package var stream: StreamName
    /// To whom the stream belongs; `nil` for what belongs to nobody, such as releases.
    package var organization: OrganizationID?
    package var expected: ExpectedVersion
    package var events: [NewEvent]

    package init(
        _ stream: StreamName,
        organization: OrganizationID? = nil,
        expecting expected: ExpectedVersion,
        events: [NewEvent] = []
    ) {
        self.stream = stream
        self.organization = organization
        self.expected = expected
        self.events = events
    }
}

/// A name that only one stream may hold at a time.
package struct Claim: Hashable, Sendable, Comparable {
    /// What is unique, as in `slug`, `host` or `identity`.
    package var kind: String
    package var key: String

    package init(kind: String, key: String) {
        self.kind = kind
        self.key = key
    }

    package static func < (left: Self, right: Self) -> Bool { (left.kind, left.key) < (right.kind, right.key) }
}

/// What a request does to a claim.
package enum ClaimChange: Sendable, Equatable {
    /// Refused when another stream holds it; fine when the same one does.
    case take(Claim, for: StreamName)
    /// Nothing happens when another stream holds it.
    case release(Claim, by: StreamName)
}

/// A client's command, remembered so that the same one again gets the same answer.
package struct CommandRecord: Sendable, Equatable {
    package var id: UniqueID
    package var principal: String
    /// SHA-256 of what was asked; the same id with another hash is refused.
    package var requestHash: [UInt8]
    /// What the client is answered; kept for a repeat.
    package var answer: [UInt8]

    package init(id: UniqueID, principal: String, requestHash: [UInt8], answer: [UInt8]) {
        self.id = id
        self.principal = principal
        self.requestHash = requestHash
        self.answer = answer
    }
}

/// What a request does to leased work, in the same transaction.
package struct WorkUpdate: Sendable, Equatable {
    /// How the row is found and fenced.
    package enum Guard: Sendable, Equatable {
        /// Makes the row; one that is there already stays as it is.
        case create
        /// The caller holds the lease with this fence and it has not run out; else the request is refused as `fenced`.
        ///
        /// The lease stays with the caller while the new status is `running` or `compensating` and `wakeAt` is `nil`;
        /// any other update gives it back, and the row is due at `wakeAt`.
        case holding(fence: Int64)
        /// Wakes the row whoever holds it, changing only `wakeAt`.
        case wake
        /// Nobody needs to hold it: an operator's change. The fence is raised, so that a holder loses its lease.
        case seize
    }

    /// Due at the moment the append is recorded, whatever the caller's clock says.
    package static let atOnce = Timestamp(postgres: .min)

    package var stream: StreamName
    package var `guard`: Guard
    package var kind: String
    /// At most one row of a lane is active (`running`, `waiting`, `compensating`, `parked`) at a time; empty for no lane.
    package var lane: String
    /// 0 is served before 1 before 2.
    package var priority: Int16
    /// `queued`, `running`, `waiting`, `compensating`, `parked` or an end (`completed`, `compensated`, `abandoned`, `superseded`).
    package var status: String
    package var step: String
    /// The target the step talks to, as in `nomad`.
    package var target: String
    /// When it is due next, on the database's clock; `nil` means never by itself.
    package var wakeAt: Timestamp?
    package var deadline: Timestamp?

    package init(
        _ stream: StreamName,
        guard: Guard,
        kind: String,
        lane: String = "",
        priority: Int16 = 1,
        status: String,
        step: String = "",
        target: String = "",
        wakeAt: Timestamp? = nil,
        deadline: Timestamp? = nil
    ) {
        self.stream = stream
        self.guard = `guard`
        self.kind = kind
        self.lane = lane
        self.priority = priority
        self.status = status
        self.step = step
        self.target = target
        self.wakeAt = wakeAt
        self.deadline = deadline
    }
}

/// One decision to be written: all of it or nothing.
package struct AppendRequest: Sendable, Equatable {
    package var causation: Causation
    /// Absent for sagas, whose requests are recognised by their first event id.
    package var command: CommandRecord?
    /// Every stream at most once.
    package var writes: [StreamWrite]
    package var claims: [ClaimChange]
    package var work: [WorkUpdate]

    package init(
        causation: Causation,
        command: CommandRecord? = nil,
        writes: [StreamWrite],
        claims: [ClaimChange] = [],
        work: [WorkUpdate] = []
    ) {
        self.causation = causation
        self.command = command
        self.writes = writes
        self.claims = claims
        self.work = work
    }
}

/// Where a request landed.
package struct Appended: Sendable, Equatable {
    /// 0 when there was no event to write.
    package var firstPosition: Int64
    package var lastPosition: Int64
    /// The version every written stream has now; empty for a repeat.
    package var versions: [StreamName: Int64]
    /// The stored answer, when this command had been accepted before; nothing was written now.
    package var repeated: [UInt8]?

    package init(
        firstPosition: Int64,
        lastPosition: Int64,
        versions: [StreamName: Int64],
        repeated: [UInt8]? = nil
    ) {
        self.firstPosition = firstPosition
        self.lastPosition = lastPosition
        self.versions = versions
        self.repeated = repeated
    }
}

/// Why a request was not written.
package enum AppendError: Error, Equatable, Sendable {
    /// A stream was not where the caller believed it.
    case conflict(stream: StreamName, expected: ExpectedVersion, actual: Int64)
    /// Another stream holds the name.
    case claimed(Claim)
    /// The caller's lease is gone; it must drop everything silently.
    case fenced
    /// The command id was used for another request.
    case commandReused
    /// Nothing was written and nothing is wrong with the request: try later.
    ///
    /// One exception: when the database went away under way and stays away, nobody knows. The same command again, or the
    /// same events at the same version, are recognised.
    case unavailable
    /// The request itself cannot be written, whoever asks and whenever. The text is for programmers.
    case invalid(String)
}
