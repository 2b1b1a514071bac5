/// One place where two JSON values differ.
package struct JSONDifference: Sendable, Equatable {
    /// A JSON pointer (RFC 6901); empty for the whole value.
    package var path: String
    /// What was there; `nil` when nothing was.
    package var before: JSONValue?
    /// What is there now; `nil` when nothing is.
    package var after: JSONValue?

    package init(path: String, before: JSONValue?, after: JSONValue?) {
        self.path = path
        self.before = before
        self.after = after
    }
}

extension JSONValue {
    /// Where another value differs from this one, in the order of the paths; objects are compared member by member.
    package func differences(to other: JSONValue) -> [JSONDifference] {
        var found: [JSONDifference] = []
        Self.compare(self, other, at: "", into: &found)
        return found
    }

    private static func compare(
        _ before: JSONValue?,
        _ after: JSONValue?,
        at path: String,
        into found: inout [JSONDifference]
    ) {
        guard before != after else { return }
        guard case .object(let old)? = before, case .object(let new)? = after else {
            found.append(JSONDifference(path: path, before: before, after: after))
            return
        }
        for key in Set(old.keys).union(new.keys).sorted() {
            compare(old[key], new[key], at: path + "/" + escaped(key), into: &found)
        }
    }

    private static func escaped(_ key: String) -> String {
        key.reduce(into: "") { $0 += $1 == "~" ? "~0" : $1 == "/" ? "~1" : String($1) }
    }
}

extension JSONDifference: Encodable {
    private enum CodingKeys: CodingKey {
        case path, before, after
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(path, forKey: .path)
        try container.encodeIfPresent(before, forKey: .before)
        try container.encodeIfPresent(after, forKey: .after)
    }
}
