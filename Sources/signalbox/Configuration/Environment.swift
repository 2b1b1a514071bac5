internal import FoundationEssentials
internal import Glibc

/// Reads settings by name, remembers what it was asked for, and collects everything that is wrong, so that all of it is
/// said at once.
struct EnvironmentReader {
    private let values: [String: String]
    private(set) var problems: [String] = []
    /// Every setting that the code asks for, in that order; docs/configuration.md is held against it.
    private(set) var asked: [Setting] = []
    /// The values of secrets, which no log line may have in it.
    private(set) var secrets: [(name: String, value: String)] = []

    init(_ values: [String: String]) {
        self.values = values
    }

    /// The environment of this process.
    static var process: [String: String] { ProcessInfo.processInfo.environment }

    /// The first of these names that is set and not empty.
    ///
    /// `NAME_FILE` names a file that holds the value.
    mutating func optional(_ names: String..., as type: String = "text", otherwise fallback: String = "–") -> String? {
        find(names, type, fallback)
    }

    /// As ``optional(_:as:otherwise:)``, of something that nobody may see.
    mutating func secret(_ names: String..., as type: String = "text", otherwise fallback: String = "–") -> String? {
        let value = find(names, type, fallback, secret: true)
        if let value { secrets.append((names[0], value)) }
        return value
    }

    /// A text that has a default.
    mutating func text(_ names: String..., as type: String = "text", default fallback: String) -> String {
        find(names, type, fallback) ?? fallback
    }

    /// As ``optional(_:as:otherwise:)``; a missing value is a problem.
    mutating func required(_ name: String, _ alias: String? = nil, as type: String = "text", meaning: String) -> String
    {
        if let value = find([name] + (alias.map { [$0] } ?? []), type, "required") { return value }
        problems.append("\(name) is missing: \(meaning)")
        return ""
    }

    /// As ``secret(_:as:otherwise:)``; a missing value is a problem.
    mutating func requiredSecret(_ name: String, as type: String = "text", meaning: String) -> String {
        if let value = find([name], type, "required", secret: true) {
            secrets.append((name, value))
            return value
        }
        problems.append("\(name) is missing: \(meaning)")
        return ""
    }

    mutating func integer(_ name: String, default fallback: Int, in range: ClosedRange<Int>) -> Int {
        guard let text = find([name], "\(range.lowerBound)–\(range.upperBound)", "\(fallback)") else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            problems.append("\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
            return fallback
        }
        return value
    }

    /// A number that something else stands for when it is not there.
    mutating func optionalInteger(_ name: String, in range: ClosedRange<Int>, otherwise fallback: String) -> Int? {
        guard let text = find([name], "\(range.lowerBound)–\(range.upperBound)", fallback) else { return nil }
        if let value = Int(text), range.contains(value) { return value }
        problems.append("\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    mutating func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ names: String...,
        default fallback: Value
    ) -> Value {
        let words = Value.allCases.map(\.rawValue)
        let type = words.map { "`\($0)`" }.joined(separator: " or ")
        guard let text = find(names, type, fallback.rawValue) else { return fallback }
        guard let value = Value(rawValue: text) else {
            problems.append("\(names[0]) must be one of \(words.joined(separator: ", "))")
            return fallback
        }
        return value
    }

    /// Parts with commas or line breaks between, without the space around them.
    mutating func list(
        _ names: String...,
        as type: String = "names, comma between",
        default fallback: String = "",
        secret: Bool = false
    ) -> [String] {
        let found = find(names, type, fallback.isEmpty ? "–" : fallback, secret: secret)
        let parts = (found ?? fallback).split { $0 == "," || $0.isNewline }
        let list = parts.map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
        if secret { secrets += list.map { (names[0], $0) } }
        return list
    }

    /// A number of seconds, with decimals if wanted; `ms`, `s` and `m` behind it are understood.
    mutating func seconds(_ names: String..., default fallback: Duration) -> Duration {
        let shown = Double(fallback.components.seconds) + Double(fallback.components.attoseconds) / 1e18
        guard let text = find(names, "seconds", shown.rounded() == shown ? "\(Int(shown))" : "\(shown)") else {
            return fallback
        }
        let units: [(suffix: String, factor: Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("", 1)]
        let unit = units.first { text.hasSuffix($0.suffix) } ?? ("", 1)
        guard let number = Double(text.dropLast(unit.suffix.count)), number > 0, number * unit.factor < 86_400 else {
            problems.append("\(names[0]) must be a number of seconds above 0")
            return fallback
        }
        return .microseconds(Int64(number * unit.factor * 1_000_000))
    }

    mutating func address(_ names: String..., default fallback: String, shown: String? = nil) -> String {
        let text = find(names, "URL", shown ?? (fallback.isEmpty ? "–" : fallback)) ?? fallback
        guard text.hasPrefix("http://") || text.hasPrefix("https://") else {
            if !text.isEmpty { problems.append("\(names[0]) must begin with http:// or https://") }
            return fallback
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    mutating func complain(_ problem: String) {
        problems.append(problem)
    }

    private mutating func find(
        _ names: [String],
        _ type: String,
        _ fallback: String,
        secret: Bool = false
    ) -> String? {
        if !asked.contains(where: { $0.name == names[0] }) {
            let aliases = Array(names.dropFirst())
            asked.append(
                Setting(name: names[0], aliases: aliases, type: type, fallback: fallback, isSecret: secret)
            )
        }
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
}

/// Why the process does not start: everything that is wrong with its configuration.
struct ConfigurationError: Error, CustomStringConvertible {
    let problems: [String]

    var description: String {
        "the configuration is not usable:\n" + problems.map { "  - \($0)" }.joined(separator: "\n")
    }
}
