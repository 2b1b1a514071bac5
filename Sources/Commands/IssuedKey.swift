internal import Crypto
package import Kernel

/// An API key while its secret is still known: when it is made, and when it is shown.
package struct IssuedKey: Sendable, Equatable {
    package let id: KeyID
    /// 64 hexadecimal digits: 256 bits.
    private let secret: String

    /// Makes a new key.
    package init(ids: IDSource) {
        self.id = ids.identifier()
        self.secret = (0..<4).reduce(into: "") { text, _ in text += Hex.text(ids.random().bigEndianBytes) }
    }

    /// Reads `sbx_<id>_<secret>`; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "sbx", let id = KeyID(parts[1]), (32...200).contains(parts[2].utf8.count)
        else { return nil }
        self.id = id
        self.secret = String(parts[2])
    }

    /// `sbx_<id>_<secret>`: what the holder sends.
    package var text: String { "sbx_\(id)_\(secret)" }

    /// Hex SHA-256 of the secret: what the log keeps.
    package var hash: String { Hex.text(SHA256.hash(data: Array(secret.utf8))) }
}

/// What the log remembers of the command that made a key: the key is sealed, so the table gives nobody a key.
struct SealedKey: Codable, Sendable {
    var key: KeyID
    var sealed: [UInt8]
    var expiresAt: Timestamp?

    private static func context(_ key: KeyID) -> String { "api-key \(key)" }

    init(_ issued: IssuedKey, expiresAt: Timestamp?, keys: MasterKeys) throws(CommandError) {
        self.key = issued.id
        self.expiresAt = expiresAt
        do {
            self.sealed = try keys.seal(Array(issued.text.utf8), as: Self.context(issued.id))
        } catch {
            throw .broken("a key cannot be sealed: \(error)")
        }
    }

    func shown(keys: MasterKeys) throws(CommandError) -> KeyShown {
        do {
            let text = String(decoding: try keys.open(sealed, as: Self.context(key)), as: UTF8.self)
            return KeyShown(key: key, text: text, expiresAt: expiresAt)
        } catch {
            throw .broken("the key of an earlier command cannot be opened: \(error)")
        }
    }
}
