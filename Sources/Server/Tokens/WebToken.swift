internal import Kernel

/// A JSON Web Token (RFC 7519) taken apart; nothing in it is believed yet.
struct WebToken {
    /// The key that it says it was signed with, and how.
    let keyID: String
    let algorithm: String
    let claims: JSONValue
    let signature: [UInt8]
    /// What was signed.
    let signed: [UInt8]

    /// Reads the compact form; `nil` for anything else, and for what asks for something that is not understood.
    init?(_ text: String) {
        guard text.utf8.count <= 8192 else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Base64URL.decode(parts[0]), let body = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2]), !signature.isEmpty,
            case .object(let header)? = JSONText.value(head), case .object(let members)? = JSONText.value(body),
            let algorithm = header["alg"]?.string, let keyID = header["kid"]?.string,
            // RFC 7515, section 4.1.11: extensions that must be understood are not.
            header["crit"] == nil, header["b64"] == nil
        else { return nil }
        if let type = header["typ"]?.string?.lowercased() {
            guard ["jwt", "at+jwt", "application/at+jwt"].contains(type) else { return nil }
        }
        self.keyID = keyID
        self.algorithm = algorithm
        self.claims = .object(members)
        self.signature = signature
        self.signed = Array("\(parts[0]).\(parts[1])".utf8)
    }
}
