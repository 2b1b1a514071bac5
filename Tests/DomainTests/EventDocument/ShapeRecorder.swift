import Domain
import Kernel

/// Finds out what the JSON of a type looks like, by decoding the type from a decoder that answers anything and writes
/// down what it was asked.
final class ShapeRecorder: Decoder {
    /// Texts that some type may insist on, and what people call such a text.
    private static let texts = [
        ("text", "string"), ("1", "id"), ("2026-01-01T00:00:00Z", "time"),
        ("01890000-0000-7000-8000-000000000000", "UUID"),
    ]

    private let text: (value: String, name: String)
    fileprivate var plain: String?
    fileprivate var element: Shape?
    fileprivate var fields: [Shape.Field] = []
    fileprivate var optional: Set<String> = []
    fileprivate var isMap = false
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    private init(_ text: (String, String)) { self.text = text }

    /// - Throws: `DecodingError` when the type cannot be decoded from anything that comes to mind.
    static func shape(of type: any Decodable.Type) throws -> Shape { try record(type).shape }

    /// A value of the type, and what it looks like.
    static func record<Value: Decodable>(_ type: Value.Type) throws -> (value: Value, shape: Shape) {
        var last: (any Error)?
        for text in texts + choices(of: type).map({ ($0, "string") }) {
            let recorder = ShapeRecorder(text)
            do {
                let value = try recorder.scalar(type) ?? Value(from: recorder)
                return (value, special(type) ?? recorder.shape(called: "\(type)"))
            } catch { last = error }
        }
        throw DecodingError.dataCorrupted(
            .init(codingPath: [], debugDescription: "\(type) says nothing of its form", underlyingError: last)
        )
    }

    /// What its coding does not tell.
    private static func special(_ type: any Decodable.Type) -> Shape? {
        if type == Sealed.self { return .plain("**sealed** string") }
        if type == JSONValue.self { return .plain("any JSON") }
        let choices = choices(of: type)
        return choices.isEmpty ? nil : .choice(choices)
    }

    /// The texts of an enumeration.
    private static func choices(of type: any Decodable.Type) -> [String] {
        func texts<Choice: CaseIterable>(_: Choice.Type) -> [String] {
            Choice.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
        }
        return (type as? any CaseIterable.Type).map { texts($0) } ?? []
    }

    private func shape(called name: String) -> Shape {
        if let plain { return .plain(plain) }
        if let element { return .list(element) }
        if isMap, let value = fields.first?.shape { return .map(value) }
        return .object(name: name, fields)
    }

    /// The one place where a scalar is made up; `nil` for a type that decodes itself.
    fileprivate func scalar<Value: Decodable>(_ type: Value.Type) -> Value? {
        let (name, value): (String, any Decodable)
        switch type {
        case is String.Type: (name, value) = (text.name, text.value)
        case is Bool.Type: (name, value) = ("boolean", false)
        case is Int.Type: (name, value) = ("integer", 1)
        case is Int64.Type: (name, value) = ("integer", Int64(1))
        case is Double.Type: (name, value) = ("number", 1.5)
        default: return nil
        }
        plain = name
        return value as? Value
    }

    func container<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Members<Key>(recorder: self))
    }

    func unkeyedContainer() -> any UnkeyedDecodingContainer { Elements(recorder: self) }

    func singleValueContainer() -> any SingleValueDecodingContainer { Single(recorder: self) }
}

/// The members of an object, in the order in which they are asked for.
private struct Members<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let recorder: ShapeRecorder
    let codingPath: [any CodingKey] = []

    /// Only a dictionary wants to know which members there are.
    var allKeys: [Key] {
        recorder.isMap = true
        return [Key(stringValue: "1")].compactMap(\.self)
    }

    /// Asked for members that may be absent.
    func contains(_ key: Key) -> Bool {
        recorder.optional.insert(key.stringValue)
        return true
    }

    func decodeNil(forKey _: Key) -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        let (value, shape) = try ShapeRecorder.record(type)
        let name = key.stringValue
        recorder.fields.append(.init(name: name, shape: shape, isOptional: recorder.optional.contains(name)))
        return value
    }

    func nestedContainer<Nested: CodingKey>(keyedBy _: Nested.Type, forKey _: Key) -> KeyedDecodingContainer<Nested> {
        recorder.container(keyedBy: Nested.self)
    }

    func nestedUnkeyedContainer(forKey _: Key) -> any UnkeyedDecodingContainer { recorder.unkeyedContainer() }
    func superDecoder() -> any Decoder { recorder }
    func superDecoder(forKey _: Key) -> any Decoder { recorder }
}

/// A list of one.
private struct Elements: UnkeyedDecodingContainer {
    let recorder: ShapeRecorder
    let codingPath: [any CodingKey] = []
    let count: Int? = 1
    var currentIndex = 0
    var isAtEnd: Bool { currentIndex > 0 }

    mutating func decodeNil() -> Bool { false }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let (value, shape) = try ShapeRecorder.record(type)
        recorder.element = shape
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedDecodingContainer<Key> {
        recorder.container(keyedBy: Key.self)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedDecodingContainer { recorder.unkeyedContainer() }
    mutating func superDecoder() -> any Decoder { recorder }
}

/// A value without parts.
private struct Single: SingleValueDecodingContainer {
    let recorder: ShapeRecorder
    let codingPath: [any CodingKey] = []

    func decodeNil() -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if let value = recorder.scalar(type) { return value }
        return try Value(from: recorder)
    }
}
