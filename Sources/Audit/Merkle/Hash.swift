package import Crypto
internal import FoundationEssentials
internal import Kernel

/// A SHA-256 hash in a Merkle tree as RFC 6962 (section 2.1) builds it: of a leaf, of a node, or of the whole tree.
package struct Hash: Hashable, Sendable {
    /// How many bytes one is.
    package static let size = 32

    /// The root of the tree without leaves: the hash of nothing.
    package static let empty = Hash(SHA256.hash(data: [UInt8]()))

    /// The bytes in their order, eight in each word whatever the machine's byte order is.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Takes over what a hash function gave.
    package init(_ digest: SHA256Digest) {
        words = digest.withUnsafeBytes { Self.load($0) }
    }

    /// Takes bytes; `nil` unless there are 32 of them.
    package init?(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count == Self.size else { return nil }
        words = bytes.withUnsafeBytes { Self.load($0) }
    }

    /// Reads base64 as checkpoints and proofs write it; `nil` when it is anything but the one way to write 32 bytes.
    package init?(base64 text: some StringProtocol) {
        guard let bytes = Base64.bytes(text) else { return nil }
        self.init(bytes)
    }

    /// The hash of an entry of the log.
    package static func leaf(_ entry: some Sequence<UInt8>) -> Hash {
        Hash(SHA256.hash(data: [0x00] + entry))
    }

    /// The hash of two neighbouring subtrees.
    package static func node(_ left: Hash, _ right: Hash) -> Hash {
        var function = SHA256()
        withUnsafeBytes(of: (UInt8(0x01))) { function.update(bufferPointer: $0) }
        withUnsafeBytes(of: left.words) { function.update(bufferPointer: $0) }
        withUnsafeBytes(of: right.words) { function.update(bufferPointer: $0) }
        return Hash(function.finalize())
    }

    /// The 32 bytes.
    package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    /// The 44 characters that checkpoints and proofs have.
    package var base64: String { Base64.text(bytes) }

    private static func load(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64, UInt64, UInt64) {
        (
            bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        )
    }

    package static func == (left: Hash, right: Hash) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}

extension Hash: CustomStringConvertible {
    /// Lower-case hexadecimal, as `sha256sum` prints it.
    package var description: String { Hex.text(bytes) }
}
