/// 128 bits that name an event, a command or an operation; a `uuid` to Postgres, lower-case text to people.
package struct UniqueID: Hashable, Sendable, Comparable {
    /// The bits, most significant byte first.
    package let value: UInt128

    package init(_ value: UInt128) {
        self.value = value
    }

    /// Time-ordered (RFC 9562 version 7), so that indexes grow at one end.
    package init(at moment: Timestamp, random: (UInt64, UInt64)) {
        let milliseconds = UInt128(truncatingIfNeeded: max(0, moment.microseconds / 1000)) & 0xFFFF_FFFF_FFFF
        let low = UInt128(random.0 & 0xFFF) << 64 | UInt128(random.1)
        self.init(Self.marked(milliseconds << 80 | low, version: 7))
    }

    /// Made from a hash (RFC 9562 version 8): the same bytes always give the same identity.
    ///
    /// - Parameter hash: At least 16 bytes, of which the first 16 count.
    package init(hash: some Sequence<UInt8>) {
        let bits = hash.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        self.init(Self.marked(bits, version: 8))
    }

    /// Reads the 36 characters of a UUID in any case; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return nil }
        var bits: UInt128 = 0
        for (index, byte) in bytes.enumerated() {
            if [8, 13, 18, 23].contains(index) {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = Hex.digit(byte) else { return nil }
            bits = bits << 4 | UInt128(digit)
        }
        self.init(bits)
    }

    /// The 16 bytes as they go over the wire.
    package var bytes: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: value >> (120 - 8 * UInt128($0))) }
    }

    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    private static func marked(_ bits: UInt128, version: UInt128) -> UInt128 {
        let cleared = bits & ~(UInt128(0xF) << 76) & ~(UInt128(0x3) << 62)
        return cleared | version << 76 | UInt128(0x2) << 62
    }
}

extension UniqueID: CustomStringConvertible {
    package var description: String {
        String(unsafeUninitializedCapacity: 36) { text in
            var place = 0
            for shift in stride(from: 124, through: 0, by: -4) {
                if [8, 13, 18, 23].contains(place) {
                    text[place] = UInt8(ascii: "-")
                    place += 1
                }
                let digit = UInt8(truncatingIfNeeded: value >> shift & 0xF)
                text[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
                place += 1
            }
            return place
        }
    }
}

extension UniqueID: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = Self(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UUID")
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// As a key of a JSON object; without it a dictionary would be an array of keys and values.
extension UniqueID: CodingKeyRepresentable {
    package var codingKey: any CodingKey { JSONKey(description) }

    package init?(codingKey: some CodingKey) {
        self.init(codingKey.stringValue)
    }
}

/// Lower-case hexadecimal.
package enum Hex {
    /// Two characters for one byte.
    package static func text(_ byte: UInt8) -> String {
        let digits = Array("0123456789abcdef")
        return String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
    }

    /// Two characters for each byte.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        bytes.reduce(into: "") { $0 += text($1) }
    }

    /// The bytes of an even number of hexadecimal characters, in any case; `nil` for anything else.
    package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let digits = text.utf8.map(digit)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
