internal import Domain
internal import EventStore
package import Kernel

/// Who did what, one row for each event that is not a saga's own: a list, so nothing is folded into anything.
///
/// What was said is in the log alone, so nothing of a person is here, and what was erased stays in the list.
package enum AuditLog: Projection {
    package typealias Row = AuditEntry

    package static let name = "audit_log"
    package static let shape = 1
    package static let reads =
        OrganizationEvent.types.union(UserEvent.types).union(SubscriptionEvent.types).union(InstanceEvent.types)
        .union(ReleaseEvent.types).union(RolloutEvent.types).union(PlatformEvent.types).union(ErasureEvent.types)

    package static let readsEnvelopes = true

    package static func key(of entry: Entry) -> String? { String(entry.position) }

    package static func fold(into row: inout AuditEntry?, _ entry: Entry) throws {
        let record = entry.record
        row = AuditEntry(
            position: record.position,
            at: record.recordedAt,
            actor: record.actor,
            action: record.type,
            resource: record.stream.text,
            organizationID: record.organization,
            commandID: record.command,
            correlationID: record.correlation
        )
    }
}

/// One thing that somebody, or a saga for somebody, did.
package struct AuditEntry: Codable, Equatable, Sendable {
    package var position: Int64
    package var at: Timestamp
    /// An opaque principal.
    package var actor: String
    /// The type of the event, for example `instance.stop-requested`.
    package var action: String
    /// The stream that it was done to.
    package var resource: String
    @Nullable package var organizationID: OrganizationID?
    package var commandID: UniqueID
    package var correlationID: UniqueID

    package init(
        position: Int64,
        at: Timestamp,
        actor: String,
        action: String,
        resource: String,
        organizationID: OrganizationID?,
        commandID: UniqueID,
        correlationID: UniqueID
    ) {
        self.position = position
        self.at = at
        self.actor = actor
        self.action = action
        self.resource = resource
        self.organizationID = organizationID
        self.commandID = commandID
        self.correlationID = correlationID
    }

    private enum CodingKeys: String, CodingKey {
        case position, at, actor, action, resource
        case organizationID = "organizationId"
        case commandID = "commandId"
        case correlationID = "correlationId"
    }
}
