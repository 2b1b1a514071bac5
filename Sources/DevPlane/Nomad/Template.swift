internal import Kernel

/// The part of consul-template that tenants' jobs use: one `with nomadVar` block, its items, and `env`.
///
/// `{{ with nomadVar "nomad/jobs/J" }}DB_PASSWORD={{ .db_password.Value | toJSON }}{{ end }}`
struct Template: Sendable {
    /// Why nothing can be rendered.
    enum Failure: Error, Equatable {
        /// The variable is not there yet: Nomad waits for it.
        case missing(path: String)
        case invalid(String)
    }

    let text: String
    /// Whether an item that is not there is an error instead of `<no value>`.
    let failsOnMissingKey: Bool

    init(_ json: JSONValue) {
        text = json["EmbeddedTmpl"]?.string ?? ""
        failsOnMissingKey = json["ErrMissingKey"]?.bool ?? false
    }

    /// The variables it reads.
    var paths: [String] {
        actions.compactMap { piece in
            guard case .action(let words) = piece, words.count == 3, words[0] == "with", words[1] == "nomadVar" else {
                return nil
            }
            return Self.unquoted(words[2])
        }
    }

    /// - Parameters:
    ///   - items: What a variable holds; `nil` when it does not exist.
    ///   - environment: What `env` reads.
    /// - Returns: The text.
    /// - Throws: ``Failure``.
    func render(
        items: (String) -> [String: String]?,
        environment: [String: String]
    ) throws(Failure) -> String {
        var output = ""
        var scope: [[String: String]] = []
        for piece in actions {
            switch piece {
            case .text(let text): output += text
            case .action(let words): output += try evaluate(words, &scope, items, environment)
            }
        }
        guard scope.isEmpty else { throw .invalid("unexpected EOF") }
        return output
    }

    private func evaluate(
        _ words: [String],
        _ scope: inout [[String: String]],
        _ items: (String) -> [String: String]?,
        _ environment: [String: String]
    ) throws(Failure) -> String {
        guard let first = words.first else { throw .invalid("missing value for command") }
        switch first {
        case "with" where words.count == 3 && words[1] == "nomadVar":
            let path = Self.unquoted(words[2])
            guard let found = items(path) else { throw .missing(path: path) }
            scope.append(found)
            return ""
        case "end":
            guard scope.popLast() != nil else { throw .invalid("unexpected {{end}}") }
            return ""
        case "env" where words.count == 2:
            return environment[Self.unquoted(words[1])] ?? ""
        default:
            guard first.hasPrefix("."), let current = scope.last else {
                throw .invalid("function \"\(first)\" not defined")
            }
            let name = first.dropFirst().split(separator: ".").first.map(String.init) ?? ""
            guard let value = current[name] else {
                if failsOnMissingKey { throw .invalid("map has no entry for key \"\(name)\"") }
                return "<no value>"
            }
            let isQuoted = words.dropFirst().elementsEqual(["|", "toJSON"])
            guard isQuoted || words.count == 1 else { throw .invalid("function \"\(words.last ?? "")\" not defined") }
            // A string always becomes JSON.
            return isQuoted ? String(decoding: (try? JSON.encode(value)) ?? [], as: UTF8.self) : value
        }
    }

    private enum Piece {
        case text(String)
        case action([String])
    }

    private var actions: [Piece] {
        var pieces: [Piece] = []
        var rest = text[...]
        while let start = rest.firstRange(of: "{{") {
            var before = String(rest[..<start.lowerBound])
            rest = rest[start.upperBound...]
            let end = rest.firstRange(of: "}}")
            var action = rest[..<(end?.lowerBound ?? rest.endIndex)]
            rest = end.map { rest[$0.upperBound...] } ?? ""
            if action.first == "-" {
                action.removeFirst()
                while before.last?.isWhitespace == true { before.removeLast() }
            }
            if action.last == "-" {
                action.removeLast()
                rest = rest.drop { $0.isWhitespace }
            }
            pieces.append(.text(before))
            pieces.append(.action(action.split { $0.isWhitespace }.map(String.init)))
        }
        pieces.append(.text(String(rest)))
        return pieces
    }

    private static func unquoted(_ word: String) -> String {
        String(word.drop { $0 == "\"" || $0 == "`" }.prefix { $0 != "\"" && $0 != "`" })
    }

    /// The variables a rendered file of `NAME=value` lines sets; a quoted value is JSON.
    static func environment(in text: String) -> [String: String] {
        var environment: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.drop { $0.isWhitespace }
            guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { continue }
            let name = String(line[..<equals].filter { !$0.isWhitespace })
            let value = String(line[line.index(after: equals)...])
            // What only looks like JSON is taken as it stands.
            let decoded = value.hasPrefix("\"") ? try? JSON.decode(String.self, from: value.utf8) : nil
            environment[name] = decoded ?? value
        }
        return environment
    }
}
