package import Commands
package import Kernel

/// The log as auditors ask for it.
package struct EventDoor: Sendable {
    /// Which events are wanted; everything that is set must hold.
    package struct Wish: Sendable, Equatable {
        package var organization: OrganizationID?
        package var stream: String?
        package var category: String?
        package var type: String?
        package var actor: String?
        /// Recorded at or after.
        package var from: Timestamp?
        /// Recorded before.
        package var to: Timestamp?

        package init(
            organization: OrganizationID? = nil,
            stream: String? = nil,
            category: String? = nil,
            type: String? = nil,
            actor: String? = nil,
            from: Timestamp? = nil,
            to: Timestamp? = nil
        ) {
            self.organization = organization
            self.stream = stream
            self.category = category
            self.type = type
            self.actor = actor
            self.from = from
            self.to = to
        }
    }

    /// Some events, and how far was looked for them.
    package struct Slice: Sendable {
        package var events: [EventView]
        /// Every position up to this one was looked at.
        package var scannedTo: Int64

        package init(events: [EventView], scannedTo: Int64) {
            self.events = events
            self.scannedTo = scannedTo
        }
    }

    /// How far an export has come.
    package struct Place: Sendable, Equatable {
        package var position: Int64
        /// How far its stream was read, when only one is wanted.
        package var version: Int64 = 0

        package init(after position: Int64) {
            self.position = position
        }
    }

    /// Where a reader goes on.
    package enum Beginning: Sendable, Equatable {
        case after(Int64)
        /// The reader knows another history than the log has.
        case forked
        /// The reader says a position that the log has not got to; it ends here.
        case beyond(end: Int64)
        /// What it says is neither a position nor a token.
        case unknown
    }

    /// Why the log could not be asked.
    package enum Failure: Error, Equatable, Sendable {
        case unavailable
        /// Nothing of this kind has a state.
        case stateless
        /// The stream, or the log, has not got so far; the text says how far it is.
        case notYet(String)
        /// The text is for our own log lines.
        case broken(String)
    }

    /// Whether a stream can have this name.
    package var isStreamName: @Sendable (String) -> Bool = { _ in false }
    /// The events after a position, at most so many; looks as far as it must to find one, or to the end.
    package var list: @Sendable (Wish, Int64, Int) async throws(Failure) -> Slice =
        { _, _, _ throws(Failure) in throw .unavailable }
    /// The same, but waits for an event until the time is over.
    package var next: @Sendable (Wish, Int64, Int, Duration) async throws(Failure) -> Slice =
        { _, _, _, _ throws(Failure) in throw .unavailable }
    /// What a reader means that comes back with a position or with a token.
    package var beginning: @Sendable (String) async throws(Failure) -> Beginning =
        { _ throws(Failure) in throw .unavailable }
    /// The token with which a reader comes back that has everything up to a position.
    package var token: @Sendable (Int64) async throws(Failure) -> String =
        { _ throws(Failure) in throw .unavailable }
    package var one: @Sendable (Int64) async throws(Failure) -> EventView? =
        { _ throws(Failure) in throw .unavailable }
    /// The next stretch of everything that is wanted, up to a position; the place moves on, and is `nil` at the end.
    package var export: @Sendable (Wish, Place, Int64) async throws(Failure) -> ([EventView], Place?) =
        { _, _, _ throws(Failure) in throw .unavailable }
    /// The events of a stream after a version, at most so many.
    package var history: @Sendable (String, Int64, Int) async throws(Failure) -> [EventView] =
        { _, _, _ throws(Failure) in throw .unavailable }
    /// What a stream's thing was at a moment; `nil` when there was none.
    package var state: @Sendable (String, Moment) async throws(Failure) -> PastState? =
        { _, _ throws(Failure) in throw .unavailable }
    /// The last position that is known to survive a crash.
    package var frontier: @Sendable () async throws(Failure) -> Int64 =
        { () throws(Failure) in throw .unavailable }

    package init() {}
}

/// One event as the API shows it.
package struct EventView: Encodable, Sendable {
    package var position: Int64
    package var id: UniqueID
    package var stream: String
    package var version: Int64
    package var type: String
    package var schemaVersion: Int
    package var recordedAt: Timestamp
    package var organization: OrganizationID?
    package var actor: String
    package var command: UniqueID
    package var cause: UniqueID?
    package var correlation: UniqueID
    /// Fields that are sealed say only that; a payload that was erased is `{"erased":true}`.
    package var data: JSONValue
    package var metadata: JSONValue

    package init(
        position: Int64,
        id: UniqueID,
        stream: String,
        version: Int64,
        type: String,
        schemaVersion: Int,
        recordedAt: Timestamp,
        organization: OrganizationID?,
        actor: String,
        command: UniqueID,
        cause: UniqueID?,
        correlation: UniqueID,
        data: JSONValue?,
        metadata: JSONValue,
        erased: Set<String> = []
    ) {
        self.position = position
        self.id = id
        self.stream = stream
        self.version = version
        self.type = type
        self.schemaVersion = schemaVersion
        self.recordedAt = recordedAt
        self.organization = organization
        self.actor = actor
        self.command = command
        self.cause = cause
        self.correlation = correlation
        self.data = data.map { Disclosure.closed($0, erased: erased) } ?? Disclosure.erased
        self.metadata = metadata
    }

    private enum CodingKeys: String, CodingKey {
        case position, id, stream, version, type, schemaVersion, recordedAt
        case organization = "organizationId"
        case actor
        case command = "commandId"
        case cause = "causationId"
        case correlation = "correlationId"
        case data, metadata
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(position, forKey: .position)
        try container.encode(id, forKey: .id)
        try container.encode(stream, forKey: .stream)
        try container.encode(version, forKey: .version)
        try container.encode(type, forKey: .type)
        try container.encode(schemaVersion, forKey: .schemaVersion)
        try container.encode(recordedAt, forKey: .recordedAt)
        try container.encode(organization, forKey: .organization)
        try container.encode(actor, forKey: .actor)
        try container.encode(command, forKey: .command)
        try container.encode(cause, forKey: .cause)
        try container.encode(correlation, forKey: .correlation)
        try container.encode(data, forKey: .data)
        try container.encode(metadata, forKey: .metadata)
    }
}
