internal import Crypto
internal import FoundationEssentials

/// The headers with which Standard Webhooks 1.0.0 has a call known by and checked
/// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
package enum WebhookSignature {
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature`.
    ///
    /// - Parameters:
    ///   - id: The same for every repeat.
    ///   - seconds: When it is sent, in seconds since 1970.
    ///   - body: What is sent.
    ///   - secrets: `whsec_…`; each makes a signature, and one that is none makes none.
    /// - Returns: The header fields.
    package static func headers(
        id: String,
        seconds: Int64,
        body: [UInt8],
        secrets: [String]
    ) -> [(String, String)] {
        let signed = Array("\(id).\(seconds).".utf8) + body
        let signatures = secrets.compactMap { secret -> String? in
            guard secret.hasPrefix("whsec_"), let key = Data(base64Encoded: String(secret.dropFirst(6))) else {
                return nil
            }
            let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key))
            return "v1," + Data(code).base64EncodedString()
        }
        return [
            ("webhook-id", id), ("webhook-timestamp", String(seconds)),
            ("webhook-signature", signatures.joined(separator: " ")),
        ]
    }
}
