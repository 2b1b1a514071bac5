/// Who did something, through which command, because of what.
package struct Causation: Sendable, Equatable {
    /// An opaque principal: `user-…`, `key-…`, `saga-…`, `operator-…` or `system`; never a name or an address.
    package var actor: String
    /// The command that decided the events.
    package var command: UniqueID
    /// The event that made the command be given, if one did.
    package var cause: UniqueID?
    /// The first command of the whole conversation.
    package var correlation: UniqueID
    /// W3C trace context as it came in, such as `00-…-…-01`.
    package var traceparent: String?

    package init(
        actor: String,
        command: UniqueID,
        cause: UniqueID? = nil,
        correlation: UniqueID? = nil,
        traceparent: String? = nil
    ) {
        self.actor = actor
        self.command = command
        self.cause = cause
        self.correlation = correlation ?? command
        self.traceparent = traceparent
    }
}
