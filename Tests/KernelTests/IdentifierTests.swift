import Kernel
import Testing

@Suite("Identifier")
struct IdentifierTests {
    private static let moment = Timestamp(microseconds: 1_763_712_000_000_000)

    @Test("sorts by the time it was made, whatever the random bits")
    func order() {
        let earlier = InstanceID(at: Self.moment, random: .max)
        let later = InstanceID(at: Self.moment + .milliseconds(1), random: 0)
        #expect(earlier < later)
        #expect(InstanceID(at: Self.moment, random: 1) != InstanceID(at: Self.moment, random: 2))
    }

    @Test("is positive at either end of time")
    func positive() {
        for microseconds in [Int64.min, 0, 1_704_067_200_000_000, .max] {
            #expect(InstanceID(at: Timestamp(microseconds: microseconds), random: 0).value > 0)
            #expect(InstanceID(at: Timestamp(microseconds: microseconds), random: .max).value > 0)
        }
    }

    @Test("is a decimal string to JSON, whole beyond 2^53")
    func json() throws {
        let id = try #require(OrganizationID(Int64.max))
        let bytes = try JSON.encode([id])
        #expect(String(decoding: bytes, as: UTF8.self) == #"["9223372036854775807"]"#)
        #expect(try JSON.decode([OrganizationID].self, from: bytes) == [id])
        #expect(throws: DecodingError.self) { try JSON.decode([OrganizationID].self, from: Array("[7]".utf8)) }
    }

    @Test(
        "has one spelling",
        arguments: ["", "0", "-1", "+1", "01", " 1", "1 ", "1.0", "0x1", "١", "9223372036854775808"]
    )
    func spelling(text: String) {
        #expect(UserID(text) == nil)
    }

    @Test("reads what it prints")
    func roundTrip() throws {
        let id = try #require(KeyID("42"))
        #expect(id.description == "42")
        #expect(KeyID(id.description) == id)
        #expect(KeyID(Int64(-42)) == nil)
    }
}
