import Kernel

/// Holds a JSON value against the part of JSON Schema that our two schemas use.
///
/// Stricter than the specification in one way: an object with `properties` takes no others, because both Nomad and
/// Traefik mean it so even where the schema does not say it.
struct SchemaCheck {
    let root: JSONValue
    /// Properties newer than the schema, as `Schema.Property`.
    var newer: Set<String> = []

    func problems(_ value: JSONValue, as schema: JSONValue, name: String = "", at path: String = "#") -> [String] {
        if let reference = schema["$ref"]?.string {
            let parts = reference.split(separator: "/").dropFirst()
            var target: JSONValue? = root
            for part in parts { target = target?[String(part)] }
            guard let target else { return ["\(path): no schema \(reference)"] }
            return problems(value, as: target, name: String(parts.last ?? ""), at: path)
        }
        if let choices = schema["oneOf"]?.array {
            let attempts = choices.map { problems(value, as: $0, name: name, at: path) }
            return attempts.filter(\.isEmpty).count == 1
                ? [] : ["\(path): fits \(attempts.filter(\.isEmpty).count) choices"]
        }
        if let type = schema["type"]?.string, !fits(value, type) { return ["\(path): is no \(type)"] }
        switch value {
        case .object(let members): return members.flatMap { member($0, $1, schema, name, path) }
        case .array(let elements):
            guard let item = schema["items"] else { return [] }
            return elements.enumerated().flatMap { problems($1, as: item, at: "\(path)/\($0)") }
        default: return []
        }
    }

    private func member(
        _ key: String,
        _ value: JSONValue,
        _ schema: JSONValue,
        _ name: String,
        _ path: String
    ) -> [String] {
        if let known = schema["properties"]?[key] { return problems(value, as: known, at: "\(path)/\(key)") }
        if case .object = schema["additionalProperties"], let rest = schema["additionalProperties"] {
            return problems(value, as: rest, at: "\(path)/\(key)")
        }
        if schema["properties"] == nil || newer.contains("\(name).\(key)") { return [] }
        return ["\(path)/\(key): no such field"]
    }

    private func fits(_ value: JSONValue, _ type: String) -> Bool {
        switch (value, type) {
        case (.object, "object"), (.array, "array"), (.string, "string"), (.bool, "boolean"), (.integer, "integer"),
            (.integer, "number"), (.number, "number"):
            true
        default: false
        }
    }
}
