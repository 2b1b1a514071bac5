internal import Crypto
internal import FoundationEssentials
internal import Kernel

/// The keys that every other secret of the plane comes from, each with a version; never shown, never logged.
package struct MasterKeys: Sendable, CustomStringConvertible, CustomReflectable {
    /// Why keys are not good enough to start with.
    package enum Problem: Error, Equatable, Sendable {
        case missing
        /// A key has fewer than 32 bytes.
        case short(version: Int)
        /// A key that stands in some documentation, or that is one byte or a short text over and over.
        case example(version: Int)
        /// A version is below 1 or is there twice.
        case versions
        /// Something was made with a key that is not there any more.
        case unknownVersion(Int)
        /// What should have been sealed by a key was not, or was changed since.
        case notSealed
    }

    /// What new secrets are made with.
    package let current: Int
    private let keys: [Int: SymmetricKey]

    /// Takes keys of at least 32 bytes by version; the highest is the current one, the others read what they made.
    ///
    /// - Throws: ``Problem``.
    package init(_ keys: [Int: [UInt8]]) throws(Problem) {
        guard let current = keys.keys.max() else { throw .missing }
        for (version, bytes) in keys.sorted(by: { $0.key < $1.key }) {
            guard version >= 1 else { throw .versions }
            guard bytes.count >= 32 else { throw .short(version: version) }
            guard !Self.isExample(bytes) else { throw .example(version: version) }
        }
        self.current = current
        self.keys = keys.mapValues { SymmetricKey(data: $0) }
    }

    /// Reads lines of `<version>:<64 or more hexadecimal digits>`; empty lines and those that begin with `#` are
    /// passed over.
    package init(parsing text: String) throws(Problem) {
        var keys: [Int: [UInt8]] = [:]
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let parts = line.split(separator: ":", maxSplits: 1)
            let trimmed = parts.map { $0.filter { !$0.isWhitespace } }
            if trimmed.allSatisfy(\.isEmpty) { continue }
            guard trimmed.count == 2, let version = Int(trimmed[0]), keys[version] == nil else { throw .versions }
            guard let bytes = Hex.bytes(trimmed[1]) else { throw .short(version: version) }
            keys[version] = bytes
        }
        try self.init(keys)
    }

    package var description: String { "\(keys.count) master keys" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// HKDF-SHA256 (RFC 5869) of one key.
    func derive(version: Int, info: [UInt8], bytes count: Int) throws(Problem) -> [UInt8] {
        guard let key = keys[version] else { throw .unknownVersion(version) }
        let derived = HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: info, outputByteCount: count)
        return derived.withUnsafeBytes(Array.init)
    }

    /// Texts people have seen are no secrets, however long they are.
    private static func isExample(_ bytes: [UInt8]) -> Bool {
        let period = (1...8).contains { period in
            bytes.indices.dropFirst(period).allSatisfy { bytes[$0] == bytes[$0 - period] }
        }
        let counting = bytes.indices.dropFirst().allSatisfy { bytes[$0] == bytes[$0 - 1] &+ 1 }
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        return period || counting
            || ["change", "example", "secret-key", "insecure", "default"].contains { text.contains($0) }
    }
}

extension MasterKeys {
    /// Seals bytes with AES-256-GCM under the current key: version (4 bytes, big-endian) ‖ nonce ‖ ciphertext ‖ tag.
    ///
    /// The context says what the bytes are, e.g. `oauth-secret org-42`; the same is needed to open them, so that one
    /// sealed value cannot be put in the place of another.
    package func seal(_ bytes: [UInt8], as context: String) throws(Problem) -> [UInt8] {
        let version = UInt32(truncatingIfNeeded: current)
        let prefix = (0..<4).map { UInt8(truncatingIfNeeded: version >> (24 - 8 * UInt32($0))) }
        return prefix + (try Box.seal(bytes, key: try sealingKey(current), context: context))
    }

    /// Opens what ``seal(_:as:)`` made with any of the keys.
    package func open(_ sealed: [UInt8], as context: String) throws(Problem) -> [UInt8] {
        guard sealed.count > 4 else { throw .notSealed }
        let version = Int(sealed.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        return try Box.open(Array(sealed.dropFirst(4)), key: try sealingKey(version), context: context)
    }

    private func sealingKey(_ version: Int) throws(Problem) -> [UInt8] {
        try derive(version: version, info: Array("signalbox seal v1".utf8), bytes: 32)
    }
}

/// AES-256-GCM with a random nonce in front: nonce (12) ‖ ciphertext ‖ tag (16).
enum Box {
    static func seal(_ bytes: [UInt8], key: [UInt8], context: String) throws(MasterKeys.Problem) -> [UInt8] {
        do {
            let box = try AES.GCM.seal(bytes, using: SymmetricKey(data: key), authenticating: Array(context.utf8))
            guard let combined = box.combined else { throw MasterKeys.Problem.notSealed }
            return Array(combined)
        } catch {
            throw .notSealed
        }
    }

    static func open(_ sealed: [UInt8], key: [UInt8], context: String) throws(MasterKeys.Problem) -> [UInt8] {
        do {
            let box = try AES.GCM.SealedBox(combined: sealed)
            return Array(try AES.GCM.open(box, using: SymmetricKey(data: key), authenticating: Array(context.utf8)))
        } catch {
            throw .notSealed
        }
    }
}
