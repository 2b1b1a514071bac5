internal import Domain
package import Kernel

/// Who does something to a read model, and why.
package struct ProjectionDeed: Sendable, Equatable {
    /// An opaque principal.
    package var actor: String
    package var reason: String
    package var command: UniqueID
    /// SHA-256 of what was asked; `nil` for what is asked once.
    package var requestHash: [UInt8]?
    package var traceparent: String?
    /// What the same command settled when it came first.
    var earlier: PlatformEvent.ProjectionOperated?

    package init(
        actor: String,
        reason: String,
        command: UniqueID,
        requestHash: [UInt8]? = nil,
        traceparent: String? = nil
    ) {
        self.actor = actor
        self.reason = reason
        self.command = command
        self.requestHash = requestHash
        self.traceparent = traceparent
    }
}
