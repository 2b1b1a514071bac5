internal import Projections

extension Call {
    /// The read models that the answer is made of: nothing else has to be waited for.
    var models: [any Projection.Type] {
        // Who the caller is in an organization is part of every answer.
        let place: [any Projection.Type] = [Organizations.self, Members.self]
        switch route {
        case "/v1/organizations", "/v1/organizations/{organization}", "/v1/organizations/{organization}/members":
            return place
        case "/v1/organizations/{organization}/instances", "/v1/instances/{instance}",
            "/v1/instances/{instance}/stream", "/v1/instances/{instance}/checks":
            return place + [Instances.self, Subscriptions.self]
        case "/v1/instances/{instance}/history":
            return place + [Instances.self, Subscriptions.self, Timeline.self]
        case "/v1/subscriptions/{subscription}":
            return place + [Subscriptions.self]
        case "/v1/organizations/{organization}/invitations":
            return place + [Invitations.self]
        case "/v1/organizations/{organization}/audit-log", "/v1/admin/audit-log":
            return place + [AuditLog.self]
        case "/v1/admin/databases":
            return [Databases.self]
        case "/v1/operations", "/v1/operations/{operation}", "/v1/operations/{operation}/stream":
            return place + [Operations.self]
        case let path where path.hasPrefix("/v1/events") || path.hasPrefix("/v1/streams"):
            // The rest of the answer is from the log itself.
            return place
        case let path where path.hasSuffix("/api-keys"):
            return place + [APIKeys.self]
        default:
            return Registry.all
        }
    }
}
