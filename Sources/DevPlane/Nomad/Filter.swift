internal import Kernel

/// A filter expression of Nomad's lists (go-bexpr): comparisons of selectors with values, joined by `and`, `or`, `not`.
///
/// `Meta["tier"] == "team" and Status != "down"`, `"x" in Tags`, `Tags contains "x"`, `Name matches "^a"` (a prefix or
/// whole text only), `Tags is empty`. A selector that leads nowhere equals nothing.
struct Filter: Sendable {
    /// Why an expression cannot be read.
    struct Problem: Error, Equatable {
        var message: String
    }

    private indirect enum Node: Sendable {
        case all([Node])
        case any([Node])
        case not(Node)
        case equal([String], String)
        case contains([String], String)
        case matches([String], String)
        case empty([String])
    }

    private let root: Node

    init(_ text: String) throws(Problem) {
        var parser = Parser(tokens: try Self.tokens(of: text))
        root = try parser.expression()
        guard parser.isAtEnd else { throw Problem(message: "unexpected \(parser.tokens[parser.place].text)") }
    }

    /// Whether a value passes.
    func accepts(_ value: JSONValue) -> Bool { Self.accepts(value, root) }

    private static func accepts(_ value: JSONValue, _ node: Node) -> Bool {
        switch node {
        case .all(let nodes): nodes.allSatisfy { accepts(value, $0) }
        case .any(let nodes): nodes.contains { accepts(value, $0) }
        case .not(let node): !accepts(value, node)
        case .equal(let path, let text): value.at(path)?.plain == text
        case .contains(let path, let text):
            switch value.at(path) {
            case .array(let elements): elements.contains { $0.plain == text }
            case .object(let members): members[text] != nil
            case .string(let whole): whole.contains(text)
            default: false
            }
        case .matches(let path, let pattern):
            value.at(path)?.plain.map { whole in
                pattern.hasPrefix("^") ? whole.hasPrefix(pattern.dropFirst()) : whole.contains(pattern)
            } ?? false
        case .empty(let path):
            switch value.at(path) {
            case .array(let elements): elements.isEmpty
            case .object(let members): members.isEmpty
            case .string(let text): text.isEmpty
            case .null, nil: true
            default: false
            }
        }
    }

    private struct Token {
        var text: String
        var isQuoted: Bool
    }

    private static func tokens(of text: String) throws(Problem) -> [Token] {
        var tokens: [Token] = []
        var rest = text[...]
        while let character = rest.first {
            if character.isWhitespace {
                rest.removeFirst()
            } else if character == "\"" || character == "`" {
                rest.removeFirst()
                var value = ""
                while let next = rest.first, next != character {
                    rest.removeFirst()
                    if next == "\\", character == "\"", let escaped = rest.popFirst() {
                        value.append(escaped)
                    } else {
                        value.append(next)
                    }
                }
                guard rest.popFirst() != nil else { throw Problem(message: "a text has no end") }
                tokens.append(Token(text: value, isQuoted: true))
            } else if "()[]".contains(character) {
                tokens.append(Token(text: String(rest.removeFirst()), isQuoted: false))
            } else if "=!".contains(character) {
                guard rest.dropFirst().first == "=" else { throw Problem(message: "unexpected \(character)") }
                tokens.append(Token(text: String(rest.prefix(2)), isQuoted: false))
                rest = rest.dropFirst(2)
            } else {
                let word = rest.prefix { !$0.isWhitespace && !"()[]=!\"`".contains($0) }
                guard !word.isEmpty else { throw Problem(message: "unexpected \(character)") }
                tokens.append(Token(text: String(word), isQuoted: false))
                rest = rest.dropFirst(word.count)
            }
        }
        return tokens
    }

    private struct Parser {
        var tokens: [Token]
        var place = 0

        var isAtEnd: Bool { place == tokens.count }

        mutating func take(_ word: String) -> Bool {
            guard place < tokens.count, !tokens[place].isQuoted, tokens[place].text == word else { return false }
            place += 1
            return true
        }

        mutating func next() throws(Problem) -> Token {
            guard place < tokens.count else { throw Problem(message: "unexpected end") }
            place += 1
            return tokens[place - 1]
        }

        mutating func expression() throws(Problem) -> Node {
            var nodes = [try conjunction()]
            while take("or") { nodes.append(try conjunction()) }
            return nodes.count == 1 ? nodes[0] : .any(nodes)
        }

        mutating func conjunction() throws(Problem) -> Node {
            var nodes = [try term()]
            while take("and") { nodes.append(try term()) }
            return nodes.count == 1 ? nodes[0] : .all(nodes)
        }

        mutating func term() throws(Problem) -> Node {
            if take("not") { return .not(try term()) }
            if take("(") {
                let inner = try expression()
                guard take(")") else { throw Problem(message: "a parenthesis has no end") }
                return inner
            }
            let first = try next()
            if first.isQuoted {
                let isNegated = take("not")
                guard take("in") else { throw Problem(message: "a value is followed by neither in nor not in") }
                let node = Node.contains(try selector(from: try next()), first.text)
                return isNegated ? .not(node) : node
            }
            return try comparison(of: try selector(from: first))
        }

        mutating func selector(from token: Token) throws(Problem) -> [String] {
            var path = token.text.split(separator: ".").map(String.init)
            while take("[") {
                path.append(try next().text)
                guard take("]") else { throw Problem(message: "a bracket has no end") }
            }
            return path
        }

        mutating func comparison(of path: [String]) throws(Problem) -> Node {
            if take("==") { return .equal(path, try next().text) }
            if take("!=") { return .not(.equal(path, try next().text)) }
            if take("contains") { return .contains(path, try next().text) }
            if take("matches") { return .matches(path, try next().text) }
            if take("is") {
                let isNegated = take("not")
                guard take("empty") else { throw Problem(message: "is wants empty") }
                return isNegated ? .not(.empty(path)) : .empty(path)
            }
            if take("not") {
                if take("contains") { return .not(.contains(path, try next().text)) }
                if take("matches") { return .not(.matches(path, try next().text)) }
            }
            throw Problem(message: "\(path.joined(separator: ".")) is not compared with anything")
        }
    }
}

extension JSONValue {
    /// What a path of member names leads to.
    fileprivate func at(_ path: [String]) -> JSONValue? {
        path.reduce(self as JSONValue?) { $0?[$1] }
    }

    /// A scalar as a filter writes it.
    fileprivate var plain: String? {
        switch self {
        case .string(let text): text
        case .integer(let value): String(value)
        case .bool(let value): String(value)
        default: nil
        }
    }
}
