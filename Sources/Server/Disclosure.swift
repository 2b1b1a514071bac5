package import Kernel

/// What is shown of fields that only the holder of a person's key can read: that they are there, and nothing in them.
package enum Disclosure {
    /// What stands for something that nobody can read any more.
    package static let erased: JSONValue = ["erased": true]
    /// What stands for something that a key opens.
    package static let sealed: JSONValue = ["sealed": true]

    /// The value with every sealed field replaced.
    ///
    /// - Parameters:
    ///   - value: Any JSON.
    ///   - erased: The subjects whose keys were destroyed.
    /// - Returns: The same with ``sealed`` or ``erased`` where something was sealed.
    package static func closed(_ value: JSONValue, erased: Set<String>) -> JSONValue {
        if let subject = subject(of: value) { return erased.contains(subject) ? Self.erased : sealed }
        return switch value {
        case .object(let members): .object(members.mapValues { closed($0, erased: erased) })
        case .array(let elements): .array(elements.map { closed($0, erased: erased) })
        case .null, .bool, .integer, .number, .string: value
        }
    }

    /// The subjects for whom something in a value is sealed.
    package static func subjects(in value: JSONValue) -> Set<String> {
        if let subject = subject(of: value) { return [subject] }
        return switch value {
        case .object(let members): members.values.reduce(into: []) { $0.formUnion(subjects(in: $1)) }
        case .array(let elements): elements.reduce(into: []) { $0.formUnion(subjects(in: $1)) }
        case .null, .bool, .integer, .number, .string: []
        }
    }

    /// For whom a value is sealed; `nil` when it is not a sealed field.
    private static func subject(of value: JSONValue) -> String? {
        guard case .object(let members) = value, members.count == 2, members["box"]?.string != nil else { return nil }
        return members["subject"]?.string
    }
}
