import Domain
import Kernel
import Testing

@Suite("Billing period")
struct BillingPeriodTests {
    @Test(
        "a period ends on the anchor's day of the month, or on the month's last",
        arguments: [
            ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z", "2026-02-28T00:00:00Z"),
            ("2026-02-28T00:00:00Z", "2026-01-31T10:00:00Z", "2026-03-31T00:00:00Z"),
            ("2026-03-31T00:00:00Z", "2026-01-31T10:00:00Z", "2026-04-30T00:00:00Z"),
            ("2028-02-01T00:00:00Z", "2027-12-31T23:59:59Z", "2028-02-29T00:00:00Z"),
            ("2100-02-01T00:00:00Z", "2099-12-30T00:00:00Z", "2100-02-28T00:00:00Z"),
            ("2026-12-15T12:00:00Z", "2026-01-15T12:00:00Z", "2027-01-15T00:00:00Z"),
            ("2026-12-31T23:59:59Z", "2026-08-31T00:00:00Z", "2027-01-31T00:00:00Z"),
            ("2026-02-05T00:00:00Z", "2026-01-10T09:00:00Z", "2026-02-10T00:00:00Z"),
            ("2026-02-09T23:59:59Z", "2026-01-10T09:00:00Z", "2026-02-10T00:00:00Z"),
            ("2026-02-10T00:00:00Z", "2026-01-10T09:00:00Z", "2026-03-10T00:00:00Z"),
        ]
    )
    func end(moment: String, anchor: String, expected: String) throws {
        let end = BillingPeriod.end(after: try #require(Timestamp(moment)), anchor: try #require(Timestamp(anchor)))
        #expect(end == Timestamp(expected))
    }

    @Test("every end comes after its moment, within 31 days and a day, on a midnight, and ends follow each other")
    func alwaysAhead() throws {
        let anchors = try ["2024-01-31T05:00:00Z", "2024-02-29T00:00:00Z", "2025-06-01T23:00:00Z"].map {
            try #require(Timestamp($0))
        }
        for anchor in anchors {
            var moment = anchor
            for _ in 0..<600 {
                let end = BillingPeriod.end(after: moment, anchor: anchor)
                #expect(end > moment)
                #expect(end - moment <= .seconds(32 * 86_400))
                #expect(end.microseconds % 86_400_000_000 == 0)
                moment = end
            }
            #expect(moment.description.hasPrefix("207"))
        }
    }
}
