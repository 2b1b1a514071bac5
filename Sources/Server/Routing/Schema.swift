package import Kernel

/// The shape of a piece of JSON: it checks what comes in, and it is what the OpenAPI document says.
package indirect enum Schema: Sendable {
    /// An object with these members and no others.
    case object([Member])
    /// A shape with a name of its own, `#/components/schemas/{name}`.
    case named(String)
    case array(Schema)
    /// - Parameters: The number of characters, and the format or pattern that the text has.
    case string(ClosedRange<Int>, format: Format? = nil, pattern: TextPattern? = nil)
    case oneOf([String])
    case integer(ClosedRange<Int64>)
    case boolean
    /// Any number, with decimals or without.
    case number
    case nullable(Schema)
    /// Any object at all.
    case anything
    /// Any JSON value at all.
    case json

    /// A kind of text that has a name in JSON Schema.
    package enum Format: String, Sendable {
        case uuid
        case time = "date-time"

        /// Whether a text is of this kind, and what to say when it is not.
        fileprivate func fault(in text: String) -> String? {
            switch self {
            case .uuid: UniqueID(text) == nil ? "must be a UUID" : nil
            case .time: Timestamp(text) == nil ? "must be a time as RFC 3339 writes it" : nil
            }
        }
    }

    /// One member of an object.
    package struct Member: Sendable {
        package var name: String
        package var schema: Schema
        package var required: Bool

        package init(_ name: String, _ schema: Schema, required: Bool = true) {
            self.name = name
            self.schema = schema
            self.required = required
        }
    }

    /// Text of any length.
    package static let text = Schema.string(0...Int.max)
    /// A 64-bit number as decimal text.
    package static let identifier = Schema.string(1...19, pattern: "^[1-9][0-9]*$")
    package static let uuid = Schema.string(36...36, format: .uuid)
    package static let time = Schema.string(20...40, format: .time)
    package static let position = Schema.integer(0...Int64.max)
    /// An object without members.
    package static let nothing = Schema.object([])
}

/// A body that a route takes, with the shape that it is checked against before it is decoded.
package protocol RequestBody: Decodable, Sendable {
    static var schema: Schema { get }
}

extension Schema {
    /// What is wrong with a value at a place in the body (a URI fragment); empty when nothing is.
    package func faults(in value: JSONValue, at pointer: String = "#") -> [Problem.Fault] {
        func fault(_ detail: String) -> [Problem.Fault] { [Problem.Fault(detail, pointer: pointer)] }
        switch self {
        case .object(let members):
            guard let object = value.object else { return fault("must be an object") }
            return Self.faults(in: object, members: members, at: pointer)
        case .array(let element):
            guard let elements = value.array else { return fault("must be an array") }
            return elements.enumerated().flatMap { element.faults(in: $1, at: "\(pointer)/\($0)") }
        case .string(let range, let format, let pattern):
            guard let text = value.string else { return fault("must be a string") }
            // As JSON Schema counts: code points, not what people see as one character.
            guard range.contains(text.unicodeScalars.count) else { return fault(Self.length(range)) }
            if text.unicodeScalars.contains("\0") { return fault("must not contain NUL") }
            if let detail = format?.fault(in: text) { return fault(detail) }
            guard let pattern, !pattern.matches(text) else { return [] }
            return fault("must match \(pattern.text)")
        case .oneOf(let values):
            guard let text = value.string, values.contains(text) else {
                return fault("must be one of " + values.joined(separator: ", "))
            }
            return []
        case .integer(let range):
            guard let number = value.integer else { return fault("must be an integer") }
            return range.contains(number) ? [] : fault("must be from \(range.lowerBound) to \(range.upperBound)")
        case .boolean:
            return value.bool == nil ? fault("must be true or false") : []
        case .number:
            if case .number = value { return [] }
            return value.integer == nil ? fault("must be a number") : []
        case .nullable(let schema):
            return value == .null ? [] : schema.faults(in: value, at: pointer)
        case .anything, .json, .named:
            return []
        }
    }

    private static func faults(
        in object: [String: JSONValue],
        members: [Member],
        at pointer: String
    ) -> [Problem.Fault] {
        var faults: [Problem.Fault] = []
        for member in members {
            let place = pointer + "/" + escaped(member.name)
            if let value = object[member.name] {
                faults += member.schema.faults(in: value, at: place)
            } else if member.required {
                faults.append(Problem.Fault("is required", pointer: place))
            }
        }
        let known = Set(members.map(\.name))
        for name in object.keys.sorted() where !known.contains(name) {
            faults.append(Problem.Fault("is not a known member", pointer: pointer + "/" + escaped(name)))
        }
        return faults
    }

    private static func length(_ range: ClosedRange<Int>) -> String {
        range.lowerBound > 0
            ? "must have \(range.lowerBound) to \(range.upperBound) characters"
            : "must have at most \(range.upperBound) characters"
    }

    /// A member's name as a reference token of RFC 6901 in a URI fragment, cut to what is worth showing.
    private static func escaped(_ name: String) -> String {
        var token = ""
        for byte in name.prefix(100).utf8 {
            switch byte {
            case UInt8(ascii: "~"): token += "~0"
            case UInt8(ascii: "/"): token += "~1"
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                token.unicodeScalars.append(Unicode.Scalar(byte))
            default: token += "%" + Hex.text(byte).uppercased()
            }
        }
        return token
    }
}
