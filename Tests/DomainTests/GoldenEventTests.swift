import Domain
import FoundationEssentials
import Kernel
import Testing

/// What one type of event looks like in the log, and the family that reads it.
struct GoldenEvent: CustomTestStringConvertible, Sendable {
    let type: String
    /// Reads a payload and writes it again; `nil` when the family does not know the type.
    let rewrite: @Sendable ([UInt8]) throws -> (name: String, payload: [UInt8])?

    var testDescription: String { type }

    static func all<Family: EventFamily>(of _: Family.Type) -> [Self] {
        Family.Name.allCases.map { name in
            GoldenEvent(type: name.rawValue) { payload in
                guard let event = try Family.decode(type: name.rawValue, schemaVersion: 1, payload: payload) else {
                    return nil
                }
                return (event.name.rawValue, try event.payload())
            }
        }
    }

    static let all =
        all(of: OrganizationEvent.self) + all(of: UserEvent.self) + all(of: PlatformEvent.self)
        + all(of: SubscriptionEvent.self) + all(of: InstanceEvent.self) + all(of: ReleaseEvent.self)
        + all(of: SagaEvent.self) + all(of: ErasureEvent.self)

    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/events")
}

@Suite("Golden events")
struct GoldenEventTests {
    @Test("a payload of the log is read and written back whole", arguments: GoldenEvent.all)
    func roundTrip(event: GoldenEvent) throws {
        let stored = try Array(Data(contentsOf: GoldenEvent.folder.appending(path: "\(event.type).json")))
        let rewritten = try #require(try event.rewrite(stored))
        #expect(rewritten.name == event.type)
        #expect(try JSON.decode(JSONValue.self, from: rewritten.payload) == JSON.decode(JSONValue.self, from: stored))
    }

    @Test("every file is of a type that exists")
    func noStrangers() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: GoldenEvent.folder.path)
            .filter { $0.hasSuffix(".json") }
        #expect(Set(files) == Set(GoldenEvent.all.map { "\($0.type).json" }))
    }

    @Test("no two families use one name, and each name begins with its family's category")
    func names() {
        let types = GoldenEvent.all.map(\.type)
        #expect(Set(types).count == types.count)
        #expect(InstanceEvent.Name.allCases.allSatisfy { $0.rawValue.hasPrefix("instance.") })
        #expect(SubscriptionEvent.Name.allCases.allSatisfy { $0.rawValue.hasPrefix("subscription.") })
        #expect(OrganizationEvent.Name.allCases.allSatisfy { $0.rawValue.hasPrefix("organization.") })
        #expect(UserEvent.Name.allCases.allSatisfy { $0.rawValue.hasPrefix("user.") })
        #expect(PlatformEvent.Name.allCases.allSatisfy { $0.rawValue.hasPrefix("platform.") })
        #expect(ReleaseEvent.Name.allCases.allSatisfy { $0.rawValue.hasPrefix("release.") })
        #expect(SagaEvent.Name.allCases.allSatisfy { $0.rawValue.hasPrefix("saga.") })
        #expect(ErasureEvent.Name.allCases.allSatisfy { $0.rawValue.hasPrefix("erasure.") })
    }

    @Test("a type of another family is not read")
    func foreignType() throws {
        #expect(
            try InstanceEvent.decode(type: "organization.created", schemaVersion: 1, payload: Array("{}".utf8)) == nil
        )
    }

    @Test("a payload without a required field is refused")
    func missingField() {
        #expect(throws: DecodingError.self) {
            try InstanceEvent.decode(type: "instance.retry-requested", schemaVersion: 1, payload: Array("{}".utf8))
        }
    }
}
