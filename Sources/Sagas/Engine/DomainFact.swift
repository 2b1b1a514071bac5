package import Domain
package import Kernel

/// Something that a saga found out or brought about, to be recorded in the stream of the thing it is about.
package enum DomainFact: Sendable, Equatable {
    case organization(OrganizationID, OrganizationEvent)
    case subscription(SubscriptionID, SubscriptionEvent)
    case instance(InstanceID, InstanceEvent)
}
