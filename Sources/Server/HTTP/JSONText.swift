internal import Kernel

/// JSON as others send it (RFC 8259), read strictly.
///
/// Where parsers differ about a text (a name that comes twice, half a surrogate pair, something after the end), two
/// programs that read it could each believe something else; so such a text is refused. Nesting has a bound.
enum JSONText {
    /// Why a text is not taken.
    enum Flaw: Error, Equatable, Sendable {
        /// Where, in bytes from the start.
        case malformed(at: Int)
        case repeatedName(String)
        case tooDeep
    }

    /// The value of a text; `nil` when it is not taken.
    static func value(_ bytes: [UInt8]) -> JSONValue? { try? parse(bytes) }

    /// Reads a text.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8, without a byte order mark.
    ///   - depth: How many arrays and objects may be inside of each other.
    /// - Returns: The value; numbers without a fraction that fit are integers.
    /// - Throws: ``Flaw``.
    static func parse(_ bytes: [UInt8], depth: Int = 64) throws(Flaw) -> JSONValue {
        var reader = JSONReader(bytes: bytes)
        let value = try reader.value(depth)
        reader.skipSpace()
        guard reader.isAtEnd else { throw .malformed(at: reader.position) }
        return value
    }
}

/// How far a text has been read.
private struct JSONReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }
    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }
    private var flaw: JSONText.Flaw { .malformed(at: position) }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    mutating func value(_ depth: Int) throws(JSONText.Flaw) -> JSONValue {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"):
            guard depth > 0 else { throw .tooDeep }
            return try object(depth - 1)
        case UInt8(ascii: "["):
            guard depth > 0 else { throw .tooDeep }
            return try array(depth - 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(_ depth: Int) throws(JSONText.Flaw) -> JSONValue {
        var members: [String: JSONValue] = [:]
        position += 1
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            let name = try string()
            skipSpace()
            guard take(":") else { throw flaw }
            guard members.updateValue(try value(depth), forKey: name) == nil else { throw .repeatedName(name) }
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw flaw }
        }
    }

    private mutating func array(_ depth: Int) throws(JSONText.Flaw) -> JSONValue {
        var elements: [JSONValue] = []
        position += 1
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            elements.append(try value(depth))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw flaw }
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONText.Flaw) -> JSONValue {
        let count = word.utf8CodeUnitCount
        let matches = word.withUTF8Buffer { bytes[position...].prefix(count).elementsEqual($0) }
        guard matches else { throw flaw }
        position += count
        return value
    }
}

extension JSONReader {
    private mutating func string() throws(JSONText.Flaw) -> String {
        guard take("\"") else { throw flaw }
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw flaw }
                position += 1
                return string
            case UInt8(ascii: "\\"):
                position += 1
                text += Array(String(try escape()).utf8)
            case 0..<0x20: throw flaw
            default:
                text.append(byte)
                position += 1
            }
        }
        throw flaw
    }

    private mutating func escape() throws(JSONText.Flaw) -> Unicode.Scalar {
        guard let byte = next else { throw flaw }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let first = try unit()
            if let scalar = Unicode.Scalar(first) { return scalar }
            guard 0xD800..<0xDC00 ~= first, take("\\"), take("u") else { throw flaw }
            let second = try unit()
            guard 0xDC00..<0xE000 ~= second,
                let scalar = Unicode.Scalar(0x10000 + (UInt32(first - 0xD800) << 10 | UInt32(second - 0xDC00)))
            else { throw flaw }
            return scalar
        default: throw flaw
        }
    }

    private mutating func unit() throws(JSONText.Flaw) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = next.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else { throw flaw }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }

    private mutating func number() throws(JSONText.Flaw) -> JSONValue {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        var isWhole = true
        if take(".") {
            isWhole = false
            try digits()
        }
        if take("e") || take("E") {
            isWhole = false
            if !take("+") { _ = take("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw .malformed(at: start) }
        // 1.0 is a whole number too.
        return number.magnitude < 0x1p53 && number.rounded() == number ? .integer(Int64(number)) : .number(number)
    }

    private mutating func digits() throws(JSONText.Flaw) {
        let start = position
        while let byte = next, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { position += 1 }
        guard position > start else { throw flaw }
    }
}
