/// Every read model there is; a new one is one line.
package enum Registry {
    package static let all: [any Projection.Type] = [
        Organizations.self,
        Members.self,
        Invitations.self,
        APIKeys.self,
        Subscriptions.self,
        Instances.self,
        Timeline.self,
        Releases.self,
        Rollouts.self,
        Operations.self,
        Routes.self,
        Databases.self,
        AuditLog.self,
    ]
}
