internal import FoundationEssentials
internal import Glibc

/// Reads settings by name and collects everything that is wrong with them, so that all of it is said at once.
struct EnvironmentReader {
    private let values: [String: String]
    private(set) var problems: [String] = []

    init(_ values: [String: String]) {
        self.values = values
    }

    /// The environment of this process.
    static var process: [String: String] { ProcessInfo.processInfo.environment }

    /// The first of these names that is set and not empty.
    ///
    /// `NAME_FILE` names a file that holds the value.
    mutating func optional(_ names: String...) -> String? {
        for name in names {
            if let value = values[name], !value.isEmpty { return value }
            guard let path = values[name + "_FILE"], !path.isEmpty else { continue }
            guard let data = try? Data(contentsOf: URL(filePath: path)) else {
                problems.append("\(name)_FILE names a file that cannot be read: \(path)")
                return nil
            }
            let text = String(decoding: data, as: UTF8.self)
            return String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }
        return nil
    }

    /// As ``optional(_:)``; a missing value is a problem.
    mutating func required(_ name: String, _ alias: String? = nil, meaning: String) -> String {
        let value = alias.map { optional(name, $0) } ?? optional(name)
        if let value { return value }
        problems.append("\(name) is missing: \(meaning)")
        return ""
    }

    mutating func integer(_ name: String, default fallback: Int, in range: ClosedRange<Int>) -> Int {
        guard let text = optional(name) else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            problems.append("\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
            return fallback
        }
        return value
    }

    mutating func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ name: String,
        default fallback: Value
    ) -> Value {
        guard let text = optional(name) else { return fallback }
        guard let value = Value(rawValue: text) else {
            problems.append("\(name) must be one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
            return fallback
        }
        return value
    }

    /// Parts with commas or line breaks between, without the space around them.
    mutating func list(_ name: String, default fallback: String = "") -> [String] {
        let parts = (optional(name) ?? fallback).split { $0 == "," || $0.isNewline }
        return parts.map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
    }

    /// A number of seconds, with decimals if wanted.
    mutating func seconds(_ name: String, default fallback: Duration) -> Duration {
        guard let text = optional(name) else { return fallback }
        guard let value = Double(text), value > 0, value < 86_400 else {
            problems.append("\(name) must be a number of seconds above 0")
            return fallback
        }
        return .microseconds(Int64(value * 1_000_000))
    }

    mutating func address(_ name: String, default fallback: String) -> String {
        let text = optional(name) ?? fallback
        guard text.hasPrefix("http://") || text.hasPrefix("https://") else {
            if !text.isEmpty { problems.append("\(name) must begin with http:// or https://") }
            return fallback
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    mutating func complain(_ problem: String) {
        problems.append(problem)
    }
}

/// Why the process does not start: everything that is wrong with its configuration.
struct ConfigurationError: Error, CustomStringConvertible {
    let problems: [String]

    var description: String {
        "the configuration is not usable:\n" + problems.map { "  - \($0)" }.joined(separator: "\n")
    }
}
