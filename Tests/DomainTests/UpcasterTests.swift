import Domain
import Kernel
import Testing

/// A family whose only event has had three shapes.
private enum ParcelEvent: EventFamily {
    case weighed(Weighed)

    enum Name: String, CaseIterable, Sendable {
        case weighed = "parcel.weighed"
    }

    /// Pounds, as text.
    struct WeighedV1: Fact {
        var weight: String
    }

    /// Pounds, as a number.
    struct WeighedV2: Fact {
        var pounds: Int
        var scale: String?
    }

    struct Weighed: Fact {
        var grams: Int
        var scale: String
    }

    static let category = "parcel"

    var name: Name { .weighed }

    var fact: any Fact {
        switch self {
        case .weighed(let fact): fact
        }
    }

    static func schema(of name: Name) -> EventSchema<Self> {
        switch name {
        case .weighed:
            .from(WeighedV1.self)
                .to { WeighedV2(pounds: Int($0.weight) ?? 0) }
                .to { Weighed(grams: $0.pounds * 454, scale: $0.scale ?? "unknown") }
                .as(Self.weighed)
        }
    }
}

@Suite("Upcasters")
struct UpcasterTests {
    private static func decode(_ version: Int16, _ payload: String) throws -> ParcelEvent? {
        try ParcelEvent.decode(type: "parcel.weighed", schemaVersion: version, payload: Array(payload.utf8))
    }

    @Test(
        "each version goes step by step to the present one",
        arguments: [
            (1, #"{"weight":"2"}"#, "unknown"), (2, #"{"pounds":2}"#, "unknown"),
            (2, #"{"pounds":2,"scale":"gate"}"#, "gate"), (3, #"{"grams":908,"scale":"gate"}"#, "gate"),
        ] as [(Int16, String, String)]
    )
    func chain(version: Int16, payload: String, scale: String) throws {
        #expect(try Self.decode(version, payload) == .weighed(.init(grams: 908, scale: scale)))
    }

    @Test("what is written has the newest version, and is read as it was")
    func writes() throws {
        let event = ParcelEvent.weighed(.init(grams: 5, scale: "gate"))
        #expect(event.schemaVersion == 3)
        #expect(
            try ParcelEvent.decode(type: "parcel.weighed", schemaVersion: 3, payload: event.payload()) == event
        )
    }

    @Test("a version that this build does not know is refused by name", arguments: [-1, 0, 4] as [Int16])
    func unknown(version: Int16) {
        let error = #expect(throws: UnknownSchemaVersion.self) {
            try Self.decode(version, #"{"grams":908,"scale":"gate"}"#)
        }
        #expect(
            error?.description == "parcel.weighed has schema version \(version), and this build reads 1 to 3"
        )
    }

    @Test("a payload of another version than it says is refused")
    func mislabelled() {
        #expect(throws: DecodingError.self) { try Self.decode(2, #"{"weight":"2"}"#) }
    }
}
