internal import Domain
internal import Kernel

/// What a reader of a feed is woken for.
enum FeedTopic: Hashable, Sendable {
    case everything
    case organization(OrganizationID)
    case stream(String)
    /// Whatever may end somebody's right to read in an organization.
    case access(OrganizationID)

    /// Events after which it has to be asked again who may read.
    private static let revoking: Set<String> = Set(
        [
            OrganizationEvent.Name.memberRoleChanged, .memberRemoved, .apiKeyRevoked, .suspended, .personalDataErased,
            .deleted,
        ]
        .map(\.rawValue)
    )

    /// Everybody whom an event concerns.
    static func all(of event: EventView) -> [FeedTopic] {
        var topics: [FeedTopic] = [.everything, .stream(event.stream)]
        if let organization = event.organization {
            topics.append(.organization(organization))
            if isRevoking(event) { topics.append(.access(organization)) }
        }
        return topics
    }

    /// Whether somebody's right to read may have ended with an event.
    static func isRevoking(_ event: EventView) -> Bool { revoking.contains(event.type) }
}

extension EventDoor.Wish {
    /// What a reader with this wish is woken for.
    var topics: [FeedTopic] {
        var topics: [FeedTopic] = []
        if let stream { topics.append(.stream(stream)) }
        if let organization {
            topics.append(stream == nil ? .organization(organization) : .access(organization))
        }
        return topics.isEmpty ? [.everything] : topics
    }

    /// Whether an event is wanted: as the log itself judges it.
    func matches(_ event: EventView) -> Bool {
        if let organization, event.organization != organization { return false }
        if let stream, event.stream != stream { return false }
        if let category, event.stream.prefix(while: { $0 != "-" }) != category { return false }
        if let type, event.type != type { return false }
        if let actor, event.actor != actor { return false }
        if let from, event.recordedAt < from { return false }
        if let to, event.recordedAt >= to { return false }
        return true
    }
}
