/// SQL text with its values kept apart from it: `"… WHERE id = \(id)"` becomes `… WHERE id = $1`.
///
/// A literal cannot be built from a `String` at run time; the one way round is spelled `\(unsafe: text)`.
package struct SQL: ExpressibleByStringInterpolation, Sendable {
    package private(set) var text: String
    package private(set) var parameters: Parameters

    package init(stringLiteral text: String) {
        self.text = text
        self.parameters = Parameters()
    }

    package init(stringInterpolation parts: Parts) {
        self.text = parts.text
        self.parameters = parts.parameters
    }

    /// What the compiler fills in.
    package struct Parts: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var parameters = Parameters()

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 3 * interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) {
            text += literal
        }

        /// Binds one value.
        package mutating func appendInterpolation(_ value: some Wire) {
            parameters.add(value)
            text += "$\(parameters.count)"
        }

        /// Binds one value, or NULL.
        package mutating func appendInterpolation(_ value: (some Wire)?) {
            parameters.add(value)
            text += "$\(parameters.count)"
        }

        /// Binds an array without NULLs.
        package mutating func appendInterpolation<Element: Wire>(array values: [Element]) {
            parameters.add(array: values)
            text += "$\(parameters.count)"
        }

        /// Binds an array that may hold NULLs.
        package mutating func appendInterpolation<Element: Wire>(array values: [Element?]) {
            parameters.add(array: values)
            text += "$\(parameters.count)"
        }

        /// Splices text into the statement as it stands: only for what cannot be a parameter, and never for input.
        package mutating func appendInterpolation(unsafe raw: String) {
            text += raw
        }

        /// Splices a name, quoted, so that it can only ever be one name.
        package mutating func appendInterpolation(identifier name: String) {
            text += SQL.quoted(identifier: name)
        }
    }

    /// A name in double quotes, with the quotes inside it doubled.
    package static func quoted(identifier name: String) -> String {
        "\""
            + name.filter { $0 != "\0" }.split(separator: "\"", omittingEmptySubsequences: false).joined(
                separator: "\"\""
            ) + "\""
    }

    /// Text in single quotes, for utility statements that take no parameters; backslashes are safe too.
    package static func quoted(literal text: String) -> String {
        let doubled = text.filter { $0 != "\0" }.split(separator: "'", omittingEmptySubsequences: false).joined(
            separator: "''"
        )
        guard doubled.contains("\\") else { return "'" + doubled + "'" }
        return "E'" + doubled.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\") + "'"
    }
}
