package import Commands
package import Domain
package import EventStore
package import Kernel

/// Something that a saga found out or brought about, as the thing it is about is told of it.
package enum DomainFact: Sendable, Equatable {
    case organization(OrganizationID, Organization.Command)
    case subscription(SubscriptionID, Subscription.Command)
    case instance(InstanceID, Instance.Command)
    case rollout(RolloutID, Rollout.Command)

    /// Whether it is offered for what was true a moment ago: refused, it is for its step to look again.
    var isTentative: Bool {
        switch self {
        case .instance(_, .offerChange), .rollout(_, .startWave): true
        default: false
        }
    }

    /// Where it is recorded.
    package var stream: StreamName {
        switch self {
        case .organization(let id, _): StreamName(category: OrganizationEvent.category, id: id)
        case .subscription(let id, _): StreamName(category: SubscriptionEvent.category, id: id)
        case .instance(let id, _): StreamName(category: InstanceEvent.category, id: id)
        case .rollout(let id, _): StreamName(category: RolloutEvent.category, id: id)
        }
    }
}
