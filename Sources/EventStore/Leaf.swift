internal import Crypto
internal import Kernel

/// What the transparency log holds of one event: the same bytes as `log.leaf` in `schema/functions/leaf.sql`.
///
/// The payload is in it only as a hash, so an erased payload breaks no proof.
package struct Leaf: Sendable, Equatable {
    /// `"sbox1"`, then every field in fixed order; integers big-endian, texts after two bytes of length, absent = zeros.
    package let entry: [UInt8]

    /// - Parameters:
    ///   - event: Everything but its payload counts.
    ///   - payloadHash: What ``payloadHash(salt:payload:)`` gave when it was written.
    package init(_ event: RecordedEvent, payloadHash: [UInt8]) {
        var entry = Array("sbox1".utf8)
        entry.reserveCapacity(256)
        entry.append(integer: event.position)
        entry.append(contentsOf: event.id.bytes)
        entry.append(integer: event.organization?.value ?? 0)
        entry.append(text: event.stream.text)
        entry.append(integer: UInt32(truncatingIfNeeded: event.version))
        entry.append(integer: event.recordedAt.postgres)
        entry.append(text: event.type)
        entry.append(integer: event.schemaVersion)
        entry.append(contentsOf: event.command.bytes)
        entry.append(text: event.actor)
        entry.append(contentsOf: event.cause?.bytes ?? [UInt8](repeating: 0, count: 16))
        entry.append(contentsOf: event.correlation.bytes)
        entry.append(contentsOf: Self.metadataHash(event.metadata))
        entry.append(contentsOf: payloadHash)
        self.entry = entry
    }

    /// The RFC 6962 leaf hash: SHA-256 of a zero byte and the entry.
    package var hash: [UInt8] { Array(SHA256.hash(data: [0] + entry)) }

    /// SHA-256 of the metadata as it is written.
    package static func metadataHash(_ metadata: String) -> [UInt8] {
        Array(SHA256.hash(data: Array(metadata.utf8)))
    }

    /// What keeps a payload from being guessed from its hash: so many times 16 bytes that nobody can foretell.
    package static func salts(_ count: Int) -> [[UInt8]] {
        var source = SystemRandomNumberGenerator()
        return (0..<count).map { _ in
            var salt: [UInt8] = []
            salt.reserveCapacity(16)
            salt.append(integer: source.next())
            salt.append(integer: source.next())
            return salt
        }
    }

    /// SHA-256 of the salt and the payload as it is stored.
    package static func payloadHash(salt: [UInt8], payload: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: salt + payload))
    }
}

extension [UInt8] {
    fileprivate mutating func append(integer value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(text: String) {
        append(integer: UInt16(truncatingIfNeeded: text.utf8.count))
        append(contentsOf: text.utf8)
    }
}
