package import Kernel

/// What an operator can make a saga do; each deed is an event with identity and reason.
package enum SagaVerb: Sendable, Equatable {
    /// What it is called in events, in the API and on the command line.
    package enum Name: String, Sendable, CaseIterable, Codable {
        case retry, park, resume, skip
        case setOutput = "set-output"
        case cancel, abandon, migrate
    }

    /// Lets a parked or waiting saga go on at once, with its patience renewed.
    case retry
    /// Stops it where it is, until somebody says otherwise.
    case park
    /// Lets a parked saga go on.
    case resume
    /// Passes the present step over, or the present undo; one that later steps are built on only when it is forced.
    case skip(step: String? = nil, force: Bool = false)
    /// Says what a step left, as if it had succeeded: the present step, or one whose output was wrong.
    case setOutput(step: String, JSONValue, evidence: JSONValue)
    /// Takes everything back; what is under way is settled first.
    case cancel
    /// Ends it as it stands, with everything that it made still there.
    case abandon
    /// Lets it go on by the definition of this build; one that would lose or disorder steps only when it is forced.
    case migrate(force: Bool = false)

    package var name: Name {
        switch self {
        case .retry: .retry
        case .park: .park
        case .resume: .resume
        case .skip: .skip
        case .setOutput: .setOutput
        case .cancel: .cancel
        case .abandon: .abandon
        case .migrate: .migrate
        }
    }
}

/// Who does something to a saga, and why.
package struct SagaDeed: Sendable, Equatable {
    /// `operator-…`.
    package var actor: String
    package var reason: String
    /// The version of the saga's stream that the operator has seen; `nil` for whatever it is.
    package var expectedVersion: Int64?
    /// The id of the command; `nil` makes one up.
    package var command: UniqueID?
    /// SHA-256 of what was asked, when the same command may come again and is then the same deed.
    package var requestHash: [UInt8]?
    /// W3C trace context.
    package var traceparent: String?

    package init(
        actor: String,
        reason: String,
        expectedVersion: Int64? = nil,
        command: UniqueID? = nil,
        requestHash: [UInt8]? = nil,
        traceparent: String? = nil
    ) {
        self.actor = actor
        self.reason = reason
        self.expectedVersion = expectedVersion
        self.command = command
        self.requestHash = requestHash
        self.traceparent = traceparent
    }
}

/// What became of a deed; the same deed again gets the same.
package struct SagaReceipt: Sendable, Equatable, Codable {
    /// Of the saga's stream, after the deed.
    package var version: Int64
    /// What the saga is after the deed.
    package var status: String
    /// Where in the log the deed is.
    package var position: Int64 = 0
    /// Whether this is the answer to the first of two.
    package var repeated = false

    private enum CodingKeys: String, CodingKey {
        case version, status
    }

    package init(version: Int64, status: String, position: Int64 = 0) {
        self.version = version
        self.status = status
        self.position = position
    }
}

/// Why an operator's word was not taken.
package enum SagaOperationError: Error, Equatable, Sendable {
    case notFound
    /// The cursor of a list was never given.
    case badCursor
    /// No saga is of the kind that was asked for; these are the kinds there are.
    case unknownKind(known: [String])
    /// The saga has moved on since the operator looked.
    case conflict(actual: Int64)
    /// The state of the saga does not allow it; the text is for people.
    case notPossible(String)
    /// The id of the command was used for something else.
    case commandReused
    case unavailable
    /// The log holds what it should not; the text is for our own log lines.
    case broken(String)
}
