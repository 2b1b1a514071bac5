internal import FoundationEssentials

/// A moment in microseconds since 1970-01-01 UTC, without leap seconds.
///
/// JSON carries RFC 3339 with six decimals, always UTC: `2026-01-31T10:00:00.000000Z`.
package struct Timestamp: Hashable, Sendable, Comparable {
    package let microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// From Postgres's own form: microseconds since 2000-01-01 UTC.
    package init(postgres: Int64) {
        self.init(microseconds: postgres &+ Self.postgresEpoch)
    }

    /// As Postgres sends a `timestamptz` in binary: microseconds since 2000-01-01 UTC.
    package var postgres: Int64 { microseconds &- Self.postgresEpoch }

    private static let postgresEpoch: Int64 = 946_684_800_000_000

    package static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    package static func + (moment: Self, span: Duration) -> Self {
        Self(microseconds: moment.microseconds &+ span.microseconds)
    }

    package static func - (later: Self, earlier: Self) -> Duration {
        .microseconds(later.microseconds &- earlier.microseconds)
    }
}

extension Duration {
    /// Whole microseconds, the rest dropped.
    package var microseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds &* 1_000_000 &+ attoseconds / 1_000_000_000_000
    }

    /// Whole milliseconds, the rest dropped.
    package var milliseconds: Int64 { microseconds / 1000 }
}

extension Timestamp: CustomStringConvertible {
    package var description: String {
        var seconds = microseconds / 1_000_000
        var fraction = microseconds % 1_000_000
        if fraction < 0 { (seconds, fraction) = (seconds - 1, fraction + 1_000_000) }
        let whole = Date(timeIntervalSince1970: Double(seconds)).formatted(Date.ISO8601FormatStyle())
        let digits = String(fraction)
        return whole.dropLast() + "." + String(repeating: "0", count: 6 - digits.count) + digits + "Z"
    }

    /// Reads RFC 3339 with any offset and up to nine decimals, cut to microseconds; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        var whole = text
        var fraction: Int64 = 0
        if let point = text.firstIndex(of: ".") {
            let digits = text[text.index(after: point)...].prefix { $0.isASCII && $0.isNumber }
            guard (1...9).contains(digits.count), let value = Int64(digits.prefix(6)) else { return nil }
            fraction = (0..<max(0, 6 - digits.count)).reduce(value) { value, _ in value * 10 }
            whole = String(text[..<point]) + text[digits.endIndex...]
        }
        // The parser stops at the end of what it understands, and takes what follows for nobody's business.
        guard whole.utf8.count == (whole.hasSuffix("Z") ? 20 : 25) else { return nil }
        // The parser carries what is too much over: February 30th would be March 2nd.
        let wall = whole.prefix(19) + "Z"
        guard let local = try? Date(String(wall), strategy: Date.ISO8601FormatStyle()),
            local.formatted(Date.ISO8601FormatStyle()) == wall
        else { return nil }
        guard let date = try? Date(whole, strategy: Date.ISO8601FormatStyle()) else { return nil }
        self.init(microseconds: Int64(date.timeIntervalSince1970.rounded()) * 1_000_000 + fraction)
    }
}

extension Timestamp: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let moment = Self(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an RFC 3339 time")
        }
        self = moment
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
