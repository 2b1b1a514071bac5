package import Domain
package import Kernel

/// Something that a saga meant to make outside, and what is known to have become of it.
package struct LedgerRow: Sendable, Equatable, Codable {
    package enum State: String, Sendable, Codable, CaseIterable {
        /// Somebody meant to make it: it may be there.
        case intended
        case present
        /// Somebody meant to remove it: it may still be there.
        case deleting
        case gone
    }

    package var kind: IntendedResource.Kind
    package var name: String
    /// The stream of the instance that it is for; absent for what an organization shares.
    package var instance: String?
    package var generation: Int?
    package var organization: OrganizationID?
    /// The stream of the saga that last meant to do something to it, and at which step.
    package var saga: String
    package var step: String
    package var state: State
    /// Taking the saga back leaves it there.
    package var keeps: Bool
    package var intendedAt: Timestamp
    package var changedAt: Timestamp
    /// When it was last seen there.
    package var observedAt: Timestamp?
    /// When it may be dropped for good; only what was put aside has it.
    package var until: Timestamp?
    /// Where in the log its last change is.
    package var position: Int64

    /// By what it is found.
    package var id: ID { ID(kind: kind, name: name) }

    package struct ID: Hashable, Sendable {
        package var kind: IntendedResource.Kind
        package var name: String

        package init(kind: IntendedResource.Kind, name: String) {
            self.kind = kind
            self.name = name
        }
    }
}
