/// The identity of one thing of one kind; two kinds never mix.
///
/// A positive 64-bit integer: 41 bits of milliseconds since 2024-01-01 UTC above 22 random bits, so it sorts by the
/// time it was made. JSON and URLs carry it as a decimal string, because JavaScript loses precision beyond 2^53.
package struct Identifier<Subject>: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The number itself, always positive.
    package let value: Int64

    /// Takes a number as it is; `nil` unless it is positive.
    package init?(_ value: Int64) {
        guard value > 0 else { return nil }
        self.value = value
    }

    /// Reads a decimal number without sign, leading zero or space; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        guard let first = text.utf8.first, first != UInt8(ascii: "0"), text.utf8.allSatisfy({ 48...57 ~= $0 }),
            let value = Int64(text)
        else { return nil }
        self.init(value)
    }

    /// Makes an identity from a moment and 22 random bits; a collision is caught by "stream must not exist".
    package init(at moment: Timestamp, random: UInt64) {
        let milliseconds = max(0, moment.microseconds / 1000 - 1_704_067_200_000)
        self.value = max(1, (milliseconds & 0x1FF_FFFF_FFFF) << 22 | Int64(random & 0x3F_FFFF))
    }

    package var description: String { String(value) }

    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

extension Identifier: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let identifier = Self(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an identifier")
        }
        self = identifier
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// As a key of a JSON object; without it a dictionary would be an array of keys and values.
extension Identifier: CodingKeyRepresentable {
    package var codingKey: any CodingKey { JSONKey(description) }

    package init?(codingKey: some CodingKey) {
        self.init(codingKey.stringValue)
    }
}

/// What an ``OrganizationID`` names.
package enum OrganizationSubject {}
/// What a ``UserID`` names.
package enum UserSubject {}
/// What a ``SubscriptionID`` names.
package enum SubscriptionSubject {}
/// What an ``InstanceID`` names.
package enum InstanceSubject {}
/// What a ``KeyID`` names.
package enum KeySubject {}

package typealias OrganizationID = Identifier<OrganizationSubject>
package typealias UserID = Identifier<UserSubject>
package typealias SubscriptionID = Identifier<SubscriptionSubject>
package typealias InstanceID = Identifier<InstanceSubject>
package typealias KeyID = Identifier<KeySubject>
