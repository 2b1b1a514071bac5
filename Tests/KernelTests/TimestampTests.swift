import Kernel
import Testing

@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "prints six decimals in UTC",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000000Z"), (1_763_712_000_000_001, "2025-11-21T08:00:00.000001Z"),
            (-1, "1969-12-31T23:59:59.999999Z"), (-1_000_000, "1969-12-31T23:59:59.000000Z"),
            (951_782_400_123_456, "2000-02-29T00:00:00.123456Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        ]
    )
    func prints(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
        #expect(Timestamp(text) == Timestamp(microseconds: microseconds))
    }

    @Test(
        "reads any offset and up to nine decimals",
        arguments: [
            "2025-11-21T08:00:00.5Z", "2025-11-21T08:00:00.500000999Z", "2025-11-21T09:00:00.5+01:00",
            "2025-11-20T20:00:00.500-12:00",
        ]
    )
    func reads(text: String) {
        #expect(Timestamp(text) == Timestamp(microseconds: 1_763_712_000_500_000))
    }

    @Test(
        "reads nothing else",
        arguments: [
            "", "now", "2025-11-21", "2025-11-21T08:00:00", "2025-11-21T08:00:00.Z", "2025-11-21T08:00:00.1234567890Z",
            "2025-13-21T08:00:00Z", "2027-02-30T00:00:00Z", "2026-02-20T24:61:00Z", "2025-11-21T08:00:00Zjunk",
            "2025-11-21T08:00:00.5Zjunk", " 2025-11-21T08:00:00Z",
        ]
    )
    func rejects(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("counts from 2000 for Postgres")
    func postgres() {
        #expect(Timestamp(postgres: 0).description == "2000-01-01T00:00:00.000000Z")
        let moment = Timestamp(microseconds: 1_763_712_000_123_456)
        #expect(Timestamp(postgres: moment.postgres) == moment)
    }

    @Test("spans are added and measured")
    func arithmetic() {
        let moment = Timestamp(microseconds: 5)
        #expect(moment + .seconds(2) == Timestamp(microseconds: 2_000_005))
        #expect((moment + .milliseconds(3)) - moment == .milliseconds(3))
        #expect(Duration.seconds(-1.5).microseconds == -1_500_000)
        #expect(Duration.microseconds(1999).milliseconds == 1)
    }

    @Test("is text to JSON")
    func json() throws {
        let moments = [Timestamp(microseconds: 1)]
        let bytes = try JSON.encode(moments)
        #expect(String(decoding: bytes, as: UTF8.self) == #"["1970-01-01T00:00:00.000001Z"]"#)
        #expect(try JSON.decode([Timestamp].self, from: bytes) == moments)
    }
}
