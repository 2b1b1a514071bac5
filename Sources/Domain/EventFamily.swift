internal import Kernel

/// What is recorded about one event: a value that only ever grows by optional fields.
package typealias Fact = Codable & Equatable & Sendable

/// Everything that can have happened to one kind of thing.
package protocol EventFamily: Sendable, Equatable {
    /// What the log calls each case. Add to the list; never rename or reuse an entry.
    associatedtype Name: RawRepresentable<String>, CaseIterable, Hashable, Sendable

    /// The text before the first `-` of the streams these events are in.
    static var category: String { get }

    var name: Name { get }

    /// What the log stores of it, as JSON.
    var fact: any Fact { get }

    /// Reads what the log stored under this name.
    ///
    /// - Throws: `DecodingError` when the payload is not what that name promises.
    static func decode(_ name: Name, from payload: [UInt8]) throws -> Self
}

extension EventFamily {
    /// The version of the payload's shape; raised together with an upcaster.
    package var schemaVersion: Int16 { 1 }

    /// The payload as the log stores it.
    package func payload() throws -> [UInt8] {
        try JSON.encode(fact)
    }

    /// Reads an event by its stored type; `nil` when this family has no such event.
    ///
    /// - Throws: `DecodingError` when the payload is not what the type promises.
    package static func decode(type: String, payload: [UInt8]) throws -> Self? {
        guard let name = Name(rawValue: type) else { return nil }
        return try decode(name, from: payload)
    }

    static func read<F: Fact>(_ payload: [UInt8], as wrap: (F) -> Self) throws -> Self {
        wrap(try JSON.decode(F.self, from: payload))
    }
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
