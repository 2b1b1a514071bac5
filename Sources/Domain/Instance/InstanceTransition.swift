/// What an instance as a whole can be asked to become, as `instance.change-rolled-back` names it when it did not.
///
/// Add to the list; never rename: the values stand in the log.
package enum InstanceTransition: String, Sendable, CaseIterable {
    case stop, start, termination
}
