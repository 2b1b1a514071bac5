internal import Kernel
internal import Platform

/// Whose a role or a database is, written on it as its comment.
enum OwnershipTag {
    private static let prefix = "sbx:"

    static func text(_ owner: Ownership) -> String {
        // Encoding strings and an integer cannot fail.
        prefix + String(decoding: (try? JSON.encode(owner)) ?? [], as: UTF8.self)
    }

    /// - Returns: `nil` for a comment that is not ours, or none.
    static func owner(_ comment: String?) -> Ownership? {
        guard let comment, comment.hasPrefix(prefix) else { return nil }
        return try? JSON.decode(Ownership.self, from: comment.utf8.dropFirst(prefix.utf8.count))
    }
}

extension Standing {
    /// A role or database with this comment; the saga that made it does not matter.
    init(comment: String?, towards owner: Ownership) {
        guard let found = OwnershipTag.owner(comment), found.organization == owner.organization,
            found.instance == owner.instance
        else {
            self = .foreign
            return
        }
        self = found.generation == owner.generation ? .ours : found.generation < owner.generation ? .older : .newer
    }
}
