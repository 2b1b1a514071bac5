/// The transparency log, by which anybody can check that the log only grows.
package struct AuditDoor: Sendable {
    package typealias Failure = EventDoor.Failure

    /// The newest signed checkpoint; `nil` before the first.
    package var checkpoint: @Sendable () async throws(Failure) -> String? =
        { () throws(Failure) in throw .unavailable }
    /// The hashes at a path such as `tile/0/x001/067`; `nil` when there are none.
    package var tile: @Sendable (String) async throws(Failure) -> [UInt8]? =
        { _ throws(Failure) in throw .unavailable }
    /// The entries at a path such as `tile/entries/000.p/5`; `nil` unless all of them are sealed.
    package var entries: @Sendable (String) async throws(Failure) -> [UInt8]? =
        { _ throws(Failure) in throw .unavailable }
    /// Every key that has signed.
    package var signers: @Sendable () async throws(Failure) -> [SignerView] =
        { () throws(Failure) in throw .unavailable }
    /// The proof of one event; `nil` when no signed checkpoint covers it yet.
    package var proof: @Sendable (Int64) async throws(Failure) -> String? =
        { _ throws(Failure) in throw .unavailable }

    /// An event as it is kept, with its proof; `nil` when there is none.
    package var kept: @Sendable (Int64) async throws(Failure) -> KeptEvent? =
        { _ throws(Failure) in throw .unavailable }

    package init() {}
}

/// What makes it possible to hold an event against what was signed.
package struct KeptEvent: Sendable, Equatable {
    /// Salt and payload as they were written; `nil` once they were erased.
    package var salt: [UInt8]?
    package var payload: [UInt8]?
    /// `nil` when no signed checkpoint covers the event yet.
    package var proof: String?

    package init(salt: [UInt8]?, payload: [UInt8]?, proof: String?) {
        (self.salt, self.payload, self.proof) = (salt, payload, proof)
    }
}

/// A key that has signed checkpoints, as the API shows it.
package struct SignerView: Encodable, Sendable, Equatable {
    /// Name, id and public key, as C2SP signed-note writes them.
    package var vkey: String
    package var epoch: Int
    /// The sizes of the first and the last checkpoint it signed.
    package var firstSize: Int64
    package var lastSize: Int64
    /// Whether it signed the newest one.
    package var current: Bool

    package init(vkey: String, epoch: Int, firstSize: Int64, lastSize: Int64, current: Bool) {
        self.vkey = vkey
        self.epoch = epoch
        self.firstSize = firstSize
        self.lastSize = lastSize
        self.current = current
    }
}
