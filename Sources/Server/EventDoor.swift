package import Kernel

/// The log as auditors ask for it.
package struct EventDoor: Sendable {
    /// Which events are wanted; everything that is set must hold.
    package struct Wish: Sendable, Equatable {
        package var organization: OrganizationID?
        package var stream: String?
        package var type: String?
        package var actor: String?
        /// Recorded at or after.
        package var from: Timestamp?
        /// Recorded before.
        package var to: Timestamp?

        package init(
            organization: OrganizationID? = nil,
            stream: String? = nil,
            type: String? = nil,
            actor: String? = nil,
            from: Timestamp? = nil,
            to: Timestamp? = nil
        ) {
            self.organization = organization
            self.stream = stream
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

    /// Why the log could not be asked.
    package enum Failure: Error, Equatable, Sendable {
        case unavailable
        /// The text is for our own log lines.
        case broken(String)
    }

    /// The events after a position, at most so many; looks as far as it must to find one, or to the end.
    package var list: @Sendable (Wish, Int64, Int) async throws(Failure) -> Slice =
        { _, _, _ throws(Failure) in throw .unavailable }
    /// The same, but waits for an event until the time is over.
    package var next: @Sendable (Wish, Int64, Int, Duration) async throws(Failure) -> Slice =
        { _, _, _, _ throws(Failure) in throw .unavailable }
    package var one: @Sendable (Int64) async throws(Failure) -> EventView? =
        { _ throws(Failure) in throw .unavailable }
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
    /// `nil` once it was erased.
    package var data: JSONValue?
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
        metadata: JSONValue
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
        self.data = data.map(Self.closed)
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

    /// Shows that a field is sealed, and nothing of what is in it.
    private static func closed(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members) where members.count == 2 && members["subject"] != nil && members["box"] != nil:
            ["sealed": true]
        case .object(let members): .object(members.mapValues(closed))
        case .array(let elements): .array(elements.map(closed))
        case .null, .bool, .integer, .number, .string: value
        }
    }
}
