/// One event with all that its row holds: what an auditor needs to compute its leaf again, and an archive to keep.
package struct StoredEvent: Sendable, Equatable {
    package var event: RecordedEvent
    /// 16 random bytes that make the hash of a payload unguessable; `nil` once the payload was erased.
    package var salt: [UInt8]?
    /// SHA-256 of salt and payload as they were written.
    package var payloadHash: [UInt8]
    /// The RFC 6962 leaf hash as the row holds it; ``recomputedLeaf`` is what it should be.
    package var leaf: [UInt8]

    package init(event: RecordedEvent, salt: [UInt8]?, payloadHash: [UInt8], leaf: [UInt8]) {
        self.event = event
        self.salt = salt
        self.payloadHash = payloadHash
        self.leaf = leaf
    }

    /// The leaf hash that follows from the other columns.
    package var recomputedLeaf: [UInt8] { Leaf(event, payloadHash: payloadHash).hash }
}
