internal import Crypto
package import Kernel

/// The text of an API key, `sbx_{id}_{secret}`, taken apart.
package struct APIKey: Sendable {
    package let id: KeyID
    /// Hex SHA-256 of the secret: all that may be compared or kept.
    package let hash: String

    /// Reads a key; `nil` for what cannot be one.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "sbx", let id = KeyID(parts[1]), (1...200).contains(parts[2].utf8.count)
        else { return nil }
        self.id = id
        self.hash = Self.hash(of: String(parts[2]))
    }

    /// Hex SHA-256.
    static func hash(of secret: String) -> String {
        Hex.text(SHA256.hash(data: Array(secret.utf8)))
    }

    /// Compares without telling by its duration where the difference is.
    package func matches(hash stored: String) -> Bool {
        Secrets.same(hash, stored)
    }
}
