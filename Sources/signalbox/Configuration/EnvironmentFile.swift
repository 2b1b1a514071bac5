internal import FoundationEssentials

/// A file of settings: a line `NAME=value` for each, as systemd's `EnvironmentFile` has them.
enum EnvironmentFile {
    /// The setting that names the file.
    static let name = "SIGNALBOX_CONFIG"

    /// What the environment and the file that it names say together; what both say is as the environment has it.
    ///
    /// - Returns: The values, and the names that only the file has.
    /// - Throws: ``ConfigurationError`` with every line that cannot be understood.
    static func merged(
        into environment: [String: String]
    ) throws(ConfigurationError) -> (values: [String: String], fromFile: [String]) {
        guard let path = environment[name], !path.isEmpty else { return (environment, []) }
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw ConfigurationError(problems: ["\(name) names a file that cannot be read: \(path)"])
        }
        let own = try parse(String(decoding: data, as: UTF8.self), from: path)
        return (own.merging(environment) { $1 }, own.keys.sorted())
    }

    /// Empty lines and those that begin with `#` or `;` are passed over; quotes around a whole value are taken off.
    static func parse(_ text: String, from path: String) throws(ConfigurationError) -> [String: String] {
        var values: [String: String] = [:]
        var problems: [String] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (number, line) in lines.enumerated() {
            let line = trimmed(line)
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            let sides = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = trimmed(sides[0])
            guard sides.count == 2, isName(name) else {
                // The line itself may be the half of a secret.
                problems.append("\(path), line \(number + 1): not NAME=value")
                continue
            }
            if values.updateValue(unquoted(trimmed(sides[1])), forKey: name) != nil {
                problems.append("\(path), line \(number + 1): \(name) is there twice")
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        return values
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= first) else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    private static func unquoted(_ value: String) -> String {
        guard value.count >= 2, let quote = value.first, quote == "\"" || quote == "'", value.last == quote else {
            return value
        }
        return String(value.dropFirst().dropLast())
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
