/// A regular expression as ECMA-262 writes it, of which only the few constructs are known that shapes need: literals,
/// classes, groups, alternatives and quantifiers between `^` and `$`.
///
/// One text is judged by and shown to readers of the OpenAPI document. (`Regex` cannot be kept in a constant that several
/// tasks use, and is slow to make.)
package struct TextPattern: Sendable, ExpressibleByStringLiteral {
    /// The expression as it was written.
    package let text: String
    private let root: Node

    /// - Precondition: The text has nothing in it that is not known here.
    package init(stringLiteral text: String) {
        self.text = text
        var parser = Parser(rest: Array(text.unicodeScalars)[...])
        self.root = parser.whole()
    }

    /// Whether the expression describes the whole of a text.
    package func matches(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        return root.match(scalars, at: 0) { $0 == scalars.count }
    }
}

extension TextPattern {
    fileprivate indirect enum Node: Sendable {
        case one(of: [ClosedRange<Unicode.Scalar>])
        case sequence([Node])
        case choice([Node])
        case repeated(Node, ClosedRange<Int>)

        /// Whether this describes what begins at a place, so that what comes after it holds there as well.
        func match(_ text: [Unicode.Scalar], at place: Int, then rest: (Int) -> Bool) -> Bool {
            switch self {
            case .one(let ranges):
                guard place < text.count, ranges.contains(where: { $0.contains(text[place]) }) else { return false }
                return rest(place + 1)
            case .sequence(let nodes):
                guard let first = nodes.first else { return rest(place) }
                return first.match(text, at: place) {
                    Node.sequence(Array(nodes.dropFirst())).match(text, at: $0, then: rest)
                }
            case .choice(let nodes):
                return nodes.contains { $0.match(text, at: place, then: rest) }
            case .repeated(let node, let times):
                if times.upperBound > 0 {
                    let more = max(0, times.lowerBound - 1)...(times.upperBound == .max ? .max : times.upperBound - 1)
                    let longer = node.match(text, at: place) { next in
                        // Nothing, again and again, leads nowhere.
                        next > place && Node.repeated(node, more).match(text, at: next, then: rest)
                    }
                    if longer { return true }
                }
                return times.lowerBound == 0 && rest(place)
            }
        }
    }

    private struct Parser {
        var rest: ArraySlice<Unicode.Scalar>

        mutating func whole() -> Node {
            expect("^")
            precondition(rest.popLast() == "$", "a pattern describes the whole text")
            let node = choice()
            precondition(rest.isEmpty, "a pattern with \(rest.first.map(String.init) ?? "") in it")
            return node
        }

        private mutating func choice() -> Node {
            var nodes = [sequence()]
            while take("|") { nodes.append(sequence()) }
            return nodes.count == 1 ? nodes[0] : .choice(nodes)
        }

        private mutating func sequence() -> Node {
            var nodes: [Node] = []
            while let next = rest.first, next != "|", next != ")" {
                let node = atom()
                nodes.append(quantified(node))
            }
            return .sequence(nodes)
        }

        private mutating func atom() -> Node {
            switch rest.removeFirst() {
            case "(":
                if take("?") { expect(":") }
                let inner = choice()
                expect(")")
                return inner
            case "[": return members()
            case ".":
                return .one(of: ["\0"..."\t", "\u{B}"..."\u{C}", "\u{E}"..."\u{2027}", "\u{202A}"..."\u{10FFFF}"])
            case "\\": return literal(rest.removeFirst())
            case let scalar:
                precondition(!"*+?{}]^$".unicodeScalars.contains(scalar), "a pattern with a stray \(scalar)")
                return .one(of: [scalar...scalar])
            }
        }

        private mutating func members() -> Node {
            var ranges: [ClosedRange<Unicode.Scalar>] = []
            precondition(rest.first != "^", "a class of what is not there")
            while let first = rest.popFirst(), first != "]" {
                let next = rest.dropFirst().first
                if rest.first == "-", let next, next != "]" {
                    rest.removeFirst(2)
                    ranges.append(first...next)
                } else {
                    ranges.append(first...first)
                }
            }
            return .one(of: ranges)
        }

        private func literal(_ scalar: Unicode.Scalar) -> Node {
            precondition(
                "\\.-/+*?()[]{}|^$".unicodeScalars.contains(scalar),
                "a pattern with an unknown escape \(scalar)"
            )
            return .one(of: [scalar...scalar])
        }

        private mutating func quantified(_ node: Node) -> Node {
            if take("*") { return .repeated(node, 0...Int.max) }
            if take("+") { return .repeated(node, 1...Int.max) }
            if take("?") { return .repeated(node, 0...1) }
            guard take("{") else { return node }
            let least = number()
            let most = take(",") ? (rest.first == "}" ? Int.max : number()) : least
            expect("}")
            return .repeated(node, least...most)
        }

        private mutating func number() -> Int {
            var digits = ""
            while let next = rest.first, "0"..."9" ~= next {
                digits.unicodeScalars.append(next)
                rest.removeFirst()
            }
            guard let number = Int(digits) else { preconditionFailure("a pattern without a number where one belongs") }
            return number
        }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard rest.first == scalar else { return false }
            rest.removeFirst()
            return true
        }

        private mutating func expect(_ scalar: Unicode.Scalar) {
            precondition(take(scalar), "a pattern without \(scalar) where it belongs")
        }
    }
}
