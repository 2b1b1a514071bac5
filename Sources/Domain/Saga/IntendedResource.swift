/// Something outside that a step is about to make or remove, by the name it is looked for.
package struct IntendedResource: Fact {
    /// Add to the list; never rename or reuse an entry.
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case database, role, job, variable, route, subscription, customer
        case oauthClient = "oauth-client"
        case backup
    }

    package var kind: Kind
    /// Where the target gives the name itself, the key by which the target finds it.
    package var name: String
    /// The stream of the instance that it is for, such as `instance-42`; absent for what an organization shares.
    package var instance: String?
    package var generation: Int?
    /// It is to be removed, not made.
    package var removes: Bool?
    /// The undo of the step leaves it there.
    package var keeps: Bool?

    package init(
        _ kind: Kind,
        _ name: String,
        instance: String? = nil,
        generation: Int? = nil,
        removes: Bool? = nil,
        keeps: Bool? = nil
    ) {
        self.kind = kind
        self.name = name
        self.instance = instance
        self.generation = generation
        self.removes = removes
        self.keeps = keeps
    }
}
