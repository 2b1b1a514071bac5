internal import Kernel

/// What is recorded about one event: a value that only ever grows by optional fields.
package typealias Fact = Codable & Equatable & Sendable

/// Everything that can have happened to one kind of thing.
package protocol EventFamily: Sendable, Equatable {
    /// What the log calls each case. Add to the list; never rename or reuse an entry.
    associatedtype Name: RawRepresentable<String>, CaseIterable, Hashable, Sendable

    /// The text before the first `-` of the streams these events are in.
    static var category: String { get }

    /// The names of those streams, as people are told.
    static var streams: String { get }

    var name: Name { get }

    /// What the log stores of it, as JSON.
    var fact: any Fact { get }

    /// The shapes its payload has had: one line for each event, which grows by a step when a shape changes.
    static func schema(of name: Name) -> EventSchema<Self>
}

extension EventFamily {
    package static var streams: String { "`\(category)-{id}`" }

    /// The version of the payload's shape, as it is written.
    package var schemaVersion: Int16 { Self.schema(of: name).version }

    /// The payload as the log stores it.
    package func payload() throws -> [UInt8] {
        try JSON.encode(fact)
    }

    /// Reads an event by its stored type, from whatever version of its shape; `nil` when this family has no such event.
    ///
    /// - Parameters:
    ///   - type: What the log calls it.
    ///   - schemaVersion: The version of the shape that it was written with.
    ///   - payload: What was written.
    /// - Returns: The event in its present shape.
    /// - Throws: ``UnknownSchemaVersion`` when a newer build wrote it, or `DecodingError` when the payload is not what
    ///   its type promises.
    package static func decode(type: String, schemaVersion: Int16, payload: [UInt8]) throws -> Self? {
        guard let name = Name(rawValue: type) else { return nil }
        return try schema(of: name).read(payload, version: schemaVersion, of: type)
    }
}

/// Every family of events there is.
package enum EventFamilies {
    package static let all: [any EventFamily.Type] = [
        OrganizationEvent.self, UserEvent.self, SubscriptionEvent.self, InstanceEvent.self, ReleaseEvent.self,
        RolloutEvent.self,
        PlatformEvent.self, SagaEvent.self, ErasureEvent.self,
    ]
}

/// A fact that says nothing but its name.
package struct Nothing: Fact {
    package init() {}
}

/// A fact whose only content is why.
package struct Because: Fact {
    package var reason: String
    package init(reason: String) { self.reason = reason }
}
