package import Kernel

/// Where the tree of the present epoch ends.
package struct TreeHead: Sendable, Equatable {
    /// Which incarnation of the log it is the tree of; the first is 1.
    package let epoch: Int
    /// How many events it covers; 0 before anything was sealed.
    package let size: Int64
    package let root: Hash
    /// The signed checkpoint; `nil` until it is signed.
    package let note: String?
    package let sealedAt: Timestamp?

    package init(epoch: Int, size: Int64 = 0, root: Hash = .empty, note: String? = nil, sealedAt: Timestamp? = nil) {
        self.epoch = epoch
        self.size = size
        self.root = root
        self.note = note
        self.sealedAt = sealedAt
    }
}

extension TreeHead {
    /// What the log is called, as the signed checkpoint says; `nil` until there is one.
    package var origin: Origin? {
        // A note that cannot be read names no log.
        guard let note, let checkpoint = try? Checkpoint(unverified: SignedNote(note.utf8)) else { return nil }
        return Origin(named: checkpoint.origin)
    }
}

/// A key that has signed checkpoints, and the sizes of the first and the last of them.
package struct SignerRecord: Sendable, Equatable {
    /// As C2SP signed-note writes it.
    package let vkey: String
    package let epoch: Int
    package let firstSize: Int64
    package let lastSize: Int64
    /// Whether it signed the newest checkpoint.
    package let isCurrent: Bool

    package init(vkey: String, epoch: Int, firstSize: Int64, lastSize: Int64, isCurrent: Bool) {
        self.vkey = vkey
        self.epoch = epoch
        self.firstSize = firstSize
        self.lastSize = lastSize
        self.isCurrent = isCurrent
    }
}
