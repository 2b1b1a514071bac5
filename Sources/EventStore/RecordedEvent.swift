package import Kernel

/// One event as the log holds it.
package struct RecordedEvent: Sendable, Equatable {
    /// 1, 2, 3, … over the whole log, without a hole.
    package var position: Int64
    package var id: UniqueID
    package var stream: StreamName
    package var organization: OrganizationID?
    /// 1, 2, 3, … within the stream.
    package var version: Int64
    package var type: String
    package var schemaVersion: Int16
    package var recordedAt: Timestamp
    package var actor: String
    package var command: UniqueID
    package var cause: UniqueID?
    package var correlation: UniqueID
    /// JSON text as it was written.
    package var metadata: String
    /// UTF-8 JSON; `nil` once it was erased.
    package var payload: [UInt8]?

    package init(
        position: Int64,
        id: UniqueID,
        stream: StreamName,
        organization: OrganizationID?,
        version: Int64,
        type: String,
        schemaVersion: Int16,
        recordedAt: Timestamp,
        actor: String,
        command: UniqueID,
        cause: UniqueID?,
        correlation: UniqueID,
        metadata: String,
        payload: [UInt8]?
    ) {
        self.position = position
        self.id = id
        self.stream = stream
        self.organization = organization
        self.version = version
        self.type = type
        self.schemaVersion = schemaVersion
        self.recordedAt = recordedAt
        self.actor = actor
        self.command = command
        self.cause = cause
        self.correlation = correlation
        self.metadata = metadata
        self.payload = payload
    }
}

/// Which events a reader wants; everything that is set must hold.
package struct EventFilter: Sendable, Equatable {
    package var categories: [String]?
    package var types: [String]?
    package var organization: OrganizationID?
    package var stream: StreamName?
    package var actor: String?
    /// Recorded at or after.
    package var from: Timestamp?
    /// Recorded before.
    package var to: Timestamp?

    package init(
        categories: [String]? = nil,
        types: [String]? = nil,
        organization: OrganizationID? = nil,
        stream: StreamName? = nil,
        actor: String? = nil,
        from: Timestamp? = nil,
        to: Timestamp? = nil
    ) {
        self.categories = categories
        self.types = types
        self.organization = organization
        self.stream = stream
        self.actor = actor
        self.from = from
        self.to = to
    }

    package static let everything = EventFilter()
}

/// A stretch of the log, as much of it as the filter let through.
package struct EventPage: Sendable, Equatable {
    package var events: [RecordedEvent]
    /// The first position that was looked at: one more than the reader asked to be after.
    package var scannedFrom: Int64
    /// Every position up to this one was looked at; the next page begins after it.
    package var scannedTo: Int64

    package init(events: [RecordedEvent], scannedFrom: Int64, scannedTo: Int64) {
        self.events = events
        self.scannedFrom = scannedFrom
        self.scannedTo = scannedTo
    }
}

/// Why the log could not be read.
package enum LogError: Error, Equatable, Sendable {
    /// The database cannot be asked now. The text is for our own log lines.
    case unavailable(String)
    /// What was read breaks a promise of the log: stop, and tell a person.
    case violated(String)
}
