package import Kernel

/// When keys were used last.
package struct KeyUseDoor: Sendable {
    /// Takes note that a key was good for a request; returns at once.
    package var note: @Sendable (KeyID, Timestamp) -> Void = { _, _ in }
    /// When some keys were used last, as far as it is known; `nil` when it cannot be asked now.
    package var uses: @Sendable ([KeyID]) async -> [KeyID: Timestamp]? = { _ in [:] }

    package init() {}
}
