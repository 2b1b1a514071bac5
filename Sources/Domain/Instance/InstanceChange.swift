/// What about an instance can be changed while it is kept, as `instance.change-requested` names it.
///
/// Add to the list; never rename: the values stand in the log.
package enum InstanceChange {
    package static let plan = "plan"
    package static let version = "version"
    package static let credentials = "credentials"
}
