package import Domain
package import EventStore
package import Kernel

/// One event of the log, decoded, with what the log knows about it.
package struct Entry: Sendable, Equatable {
    package let record: RecordedEvent
    package let event: Happening

    package init(record: RecordedEvent, event: Happening) {
        self.record = record
        self.event = event
    }

    /// Decodes an event of the log; `nil` when no family knows its type or its payload was erased.
    ///
    /// - Throws: `DecodingError` when the payload is not what the type promises, `UnknownSchemaVersion` when a newer
    ///   build wrote it.
    package init?(_ record: RecordedEvent) throws {
        guard let payload = record.payload,
            let event = try Happening.decode(
                type: record.type,
                schemaVersion: record.schemaVersion,
                payload: payload
            )
        else { return nil }
        self.init(record: record, event: event)
    }

    /// An event of which nothing but the envelope matters.
    init(unread record: RecordedEvent) {
        self.init(record: record, event: .unread)
    }

    package var position: Int64 { record.position }
    package var version: Int64 { record.version }
    package var at: Timestamp { record.recordedAt }

    /// The text after the first `-` of the stream's name.
    var subject: String { record.stream.id }
}

/// An event of any family.
package enum Happening: Sendable, Equatable {
    case organization(OrganizationEvent)
    case user(UserEvent)
    case subscription(SubscriptionEvent)
    case instance(InstanceEvent)
    case release(ReleaseEvent)
    case rollout(RolloutEvent)
    case platform(PlatformEvent)
    case saga(SagaEvent)
    case erasure(ErasureEvent)
    /// Nobody has looked at what it says.
    case unread

    /// Reads an event by its stored type; `nil` when no family has such an event.
    ///
    /// - Parameters:
    ///   - type: What the log calls it.
    ///   - schemaVersion: The version of its shape that it was written with.
    ///   - payload: What was written.
    /// - Returns: The event in its present shape.
    /// - Throws: `DecodingError` when the payload is not what the type promises, `UnknownSchemaVersion` when a newer
    ///   build wrote it.
    package static func decode(type: String, schemaVersion: Int16, payload: [UInt8]) throws -> Self? {
        let dot = type.utf8.firstIndex(of: UInt8(ascii: ".")) ?? type.endIndex
        return switch type[..<dot] {
        case OrganizationEvent.category[...]:
            try OrganizationEvent.decode(type: type, schemaVersion: schemaVersion, payload: payload).map(
                Self.organization
            )
        case UserEvent.category[...]:
            try UserEvent.decode(type: type, schemaVersion: schemaVersion, payload: payload).map(Self.user)
        case SubscriptionEvent.category[...]:
            try SubscriptionEvent.decode(type: type, schemaVersion: schemaVersion, payload: payload).map(
                Self.subscription
            )
        case InstanceEvent.category[...]:
            try InstanceEvent.decode(type: type, schemaVersion: schemaVersion, payload: payload).map(Self.instance)
        case ReleaseEvent.category[...]:
            try ReleaseEvent.decode(type: type, schemaVersion: schemaVersion, payload: payload).map(Self.release)
        case RolloutEvent.category[...]:
            try RolloutEvent.decode(type: type, schemaVersion: schemaVersion, payload: payload).map(Self.rollout)
        case PlatformEvent.category[...]:
            try PlatformEvent.decode(type: type, schemaVersion: schemaVersion, payload: payload).map(Self.platform)
        case SagaEvent.category[...]:
            try SagaEvent.decode(type: type, schemaVersion: schemaVersion, payload: payload).map(Self.saga)
        case ErasureEvent.category[...]:
            try ErasureEvent.decode(type: type, schemaVersion: schemaVersion, payload: payload).map(Self.erasure)
        default:
            nil
        }
    }
}

extension EventFamily {
    /// The stored types of the whole family.
    static var types: Set<String> { Set(Name.allCases.map(\.rawValue)) }
}
