package import Domain
package import Kernel

/// Who gives a command, as the edge has authenticated them.
package struct Principal: Sendable, Equatable {
    /// What somebody is to the plane.
    package enum Kind: Sendable, Hashable {
        /// A person, by session or by a key of their own: acts wherever they are a member.
        case user(UserID)
        /// A key that belongs to one organization and acts there with one role.
        case organizationKey(KeyID, OrganizationID, Role)
        /// A key of the people who run the plane.
        case `operator`(KeyID)
        /// A key that may read everything and change nothing.
        case platformAuditor(KeyID)
        /// A process of the plane itself, by the name of its saga.
        case saga(String)
        /// The plane itself, for example while it starts.
        case system
    }

    package var kind: Kind
    /// `*` is everything; else `read` and `write`.
    package var scopes: Set<String>

    package init(_ kind: Kind, scopes: Set<String> = ["*"]) {
        self.kind = kind
        self.scopes = scopes
    }

    /// What the events say about who did it: a kind and an opaque id.
    package var actor: String {
        switch kind {
        case .user(let user): "user-\(user)"
        case .organizationKey(let key, _, _): "key-\(key)"
        case .operator(let key): "operator-\(key)"
        case .platformAuditor(let key): "auditor-\(key)"
        case .saga(let name): "saga-\(name)"
        case .system: "system"
        }
    }

    /// Whether the principal was given this scope.
    package func has(scope: String) -> Bool {
        scopes.contains("*") || scopes.contains(scope)
    }

    package static let system = Principal(.system)
}
