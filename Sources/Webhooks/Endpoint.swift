package import Kernel

/// A webhook as its reader of the log keeps it.
struct Endpoint: Sendable, Equatable {
    var webhook: UniqueID
    var organization: OrganizationID
    var types: Set<String>
    var isEnabled: Bool
    /// Only what comes after this position is told.
    var since: Int64

    /// Whether it is to be told of an event.
    func wants(_ type: String, at position: Int64) -> Bool {
        isEnabled && position > since && (types.contains("*") || types.contains(type))
    }
}

/// One telling of one event to one webhook, as it is listed.
package struct WebhookDelivery: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable {
        case pending, delivered, failed
    }

    /// The event's id.
    package var event: UniqueID
    package var position: Int64
    package var type: String
    package var status: Status
    package var attempts: Int
    /// When it is tried next.
    package var due: Timestamp
    /// The status of the last answer.
    package var answered: Int?
    /// Why there was none, or none that is good.
    package var problem: String?
    package var triedAt: Timestamp?
    package var endedAt: Timestamp?
}
