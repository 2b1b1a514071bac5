import Domain
import Kernel
import SignalboxTestKit
import Testing

@Suite("Golden events")
struct GoldenEventTests {
    @Test("a payload of the log is read and, if it is of the present version, written back whole", arguments: golden)
    func roundTrip(payload: GoldenPayload) throws {
        let stored = try payload.bytes()
        let event = try #require(try Self.decode(payload))
        #expect(event.type == payload.type)
        let rewritten = try event.payload()
        if payload.schemaVersion == event.schemaVersion {
            #expect(try JSON.decode(JSONValue.self, from: rewritten) == JSON.decode(JSONValue.self, from: stored))
        } else {
            let again = try #require(try Self.family(of: payload)?.decode(event, rewritten))
            #expect(try again.payload() == rewritten)
        }
    }

    @Test("every file is a version of a type that exists, and every version has its file")
    func noStrangers() throws {
        #expect(try Set(GoldenPayload.files()) == Set(GoldenPayload.all.map(\.file)))
    }

    @Test("no two families use one name, and each name begins with its family's category")
    func names() {
        let types = EventFamilies.all.flatMap { $0.types }
        #expect(Set(types).count == types.count)
        for family in EventFamilies.all {
            #expect(family.types.allSatisfy { $0.hasPrefix(family.category + ".") })
        }
        #expect(Set(EventFamilies.all.map { $0.category }).count == EventFamilies.all.count)
    }

    @Test("a type of another family is not read")
    func foreignType() throws {
        let payload = Array("{}".utf8)
        #expect(try InstanceEvent.decode(type: "organization.created", schemaVersion: 1, payload: payload) == nil)
    }

    @Test("a payload without a required field is refused")
    func missingField() {
        #expect(throws: DecodingError.self) {
            try InstanceEvent.decode(type: "instance.retry-requested", schemaVersion: 1, payload: Array("{}".utf8))
        }
    }

    private static let golden = GoldenPayload.all

    private static func family(of payload: GoldenPayload) -> (any EventFamily.Type)? {
        EventFamilies.all.first { payload.type.hasPrefix($0.category + ".") }
    }

    private static func decode(_ payload: GoldenPayload) throws -> (any EventFamily)? {
        try family(of: payload)?
            .decode(type: payload.type, schemaVersion: payload.schemaVersion, payload: payload.bytes())
    }
}

extension EventFamily {
    static var types: [String] { Name.allCases.map(\.rawValue) }

    var type: String { name.rawValue }

    /// Reads another payload as this event's.
    static func decode(_ event: any EventFamily, _ payload: [UInt8]) throws -> Self? {
        try decode(type: event.type, schemaVersion: event.schemaVersion, payload: payload)
    }
}
