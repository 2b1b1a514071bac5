internal import FoundationEssentials

/// Standard base64 (RFC 4648, section 4), read strictly: every sequence of bytes has exactly one text.
///
/// A decoder that overlooks the unused bits of the last character would accept a changed proof as the same one.
enum Base64 {
    static func text(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
    }

    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        guard let data = Data(base64Encoded: String(text)) else { return nil }
        return data.base64EncodedString().utf8.elementsEqual(text.utf8) ? Array(data) : nil
    }
}
