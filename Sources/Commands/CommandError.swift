package import Domain

/// Everything that can be wrong with a command; nothing was written then.
package enum CommandError: Error, Equatable, Sendable {
    case organization(Organization.Refusal)
    case user(User.Refusal)
    case subscription(Subscription.Refusal)
    case instance(Instance.Refusal)
    case release(Release.Refusal)
    case rollout(Rollout.Refusal)
    case platformKeys(PlatformKeys.Refusal)
    /// The slug cannot be anybody's.
    case slug(Slug.Refusal)
    /// Another organization has the slug.
    case slugTaken
    /// Another instance has the host name.
    case hostTaken
    /// Somebody is registered with this identity already.
    case identityTaken
    /// No scope, or one that does not exist.
    case scopesMalformed
    /// Why nothing is erased.
    case erasure(Erasures.Refusal)
    /// The catalogue has no price with this code.
    case unknownPrice
    /// The thing has another version than the client believes.
    case conflict(actual: Int64)
    /// The id of the command was used for another request.
    case commandReused
    /// There is no such thing, or not for this principal.
    case notFound
    /// The principal can see the thing but may not do this to it.
    case forbidden
    /// Nothing is wrong with the command: try later.
    case unavailable
    /// A promise of ours is broken. The text is for our own log lines.
    case broken(String)
}
