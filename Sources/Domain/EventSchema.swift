internal import Kernel

/// The shapes that the payload of one event has had, and how each becomes the present one.
package struct EventSchema<Family: EventFamily>: Sendable {
    /// The present shape.
    package let fact: any Fact.Type
    /// One for each version, the first first.
    private let readers: [@Sendable ([UInt8]) throws -> Family]

    fileprivate init(_ fact: any Fact.Type, _ readers: [@Sendable ([UInt8]) throws -> Family]) {
        self.fact = fact
        self.readers = readers
    }

    /// The version of the present shape: what is written.
    package var version: Int16 { Int16(readers.count) }

    /// The schema of an event whose payload has always had the same shape.
    package static func only<F: Fact>(_ wrap: @escaping @Sendable (F) -> Family) -> Self {
        Self(F.self, [{ wrap(try JSON.decode(F.self, from: $0)) }])
    }

    /// Begins the schema of an event whose payload had another shape once: `.from(V1.self).to(V2.init).as(Self.changed)`.
    package static func from<F: Fact>(_: F.Type) -> Upcasters<F> {
        Upcasters([{ try JSON.decode(F.self, from: $0) }])
    }

    /// Reads a payload that was written with a version of the shape.
    func read(_ payload: [UInt8], version: Int16, of type: String) throws -> Family {
        guard readers.indices.contains(Int(version) - 1) else {
            throw UnknownSchemaVersion(type: type, version: version, known: self.version)
        }
        return try readers[Int(version) - 1](payload)
    }
}

/// The shapes of one event from the first up to `Newest`, each with its step to the next.
///
/// The types of the steps make the chain: one that does not fit does not compile. A step cannot fail, because what it
/// is given already happened.
package struct Upcasters<Newest: Fact>: Sendable {
    private let readers: [@Sendable ([UInt8]) throws -> Newest]

    fileprivate init(_ readers: [@Sendable ([UInt8]) throws -> Newest]) {
        self.readers = readers
    }

    /// The next version, and how the one before becomes it.
    package func to<Next: Fact>(_ step: @escaping @Sendable (Newest) -> Next) -> Upcasters<Next> {
        let older = readers.map { read in { @Sendable (payload: [UInt8]) in step(try read(payload)) } }
        return Upcasters<Next>(older + [{ try JSON.decode(Next.self, from: $0) }])
    }

    /// The event that the present shape is the payload of.
    package func `as`<Family: EventFamily>(_ wrap: @escaping @Sendable (Newest) -> Family) -> EventSchema<Family> {
        EventSchema(Newest.self, readers.map { read in { wrap(try read($0)) } })
    }
}

/// The log holds a version of an event that this build does not know: it was written by a newer one.
package struct UnknownSchemaVersion: Error, Equatable, CustomStringConvertible {
    package let type: String
    package let version: Int16
    /// The newest version that can be read.
    package let known: Int16

    package var description: String {
        "\(type) has schema version \(version), and this build reads 1 to \(known)"
    }
}
