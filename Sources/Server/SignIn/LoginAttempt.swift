internal import Crypto
internal import Kernel

/// One attempt of one browser to sign in.
///
/// The browser keeps a secret, and everything that is sent to the issuer follows from it: so what comes back is of use to
/// this browser alone, and we keep nothing of who only begins.
struct LoginAttempt: Sendable, Equatable {
    /// How long somebody may take at the issuer.
    static let life = Duration.seconds(600)

    private let secret: String
    /// Seconds since 1970.
    private let begunAt: Int64
    let returnPath: LocalPath

    /// A new attempt.
    init(to returnPath: LocalPath, ids: IDSource) {
        self.secret = Base64URL.random(ids)
        self.begunAt = ids.now().microseconds / 1_000_000
        self.returnPath = returnPath
    }

    /// Reads what the browser kept; `nil` for anything that we have not given out like this.
    init?(cookie text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 4096, parts.count == 3, Base64URL.decode(parts[0])?.count == 32,
            let begunAt = Int64(parts[1]), (0...253_402_300_799).contains(begunAt),
            let path = Base64URL.decode(parts[2]).flatMap({ String(validating: $0, as: UTF8.self) }),
            let returnPath = LocalPath(path)
        else { return nil }
        (self.secret, self.begunAt, self.returnPath) = (String(parts[0]), begunAt, returnPath)
    }

    /// What the browser keeps.
    var cookie: String { "\(secret).\(begunAt).\(Base64URL.encode(returnPath.text.utf8))" }

    /// Comes back with the answer, and belongs to this browser, time and path.
    var state: String { derive("state") }
    /// Comes back inside the identity token.
    var nonce: String { derive("nonce") }
    /// RFC 7636: proves to the issuer that whoever has the code is whoever asked for it.
    var verifier: String { derive("pkce") }
    /// What is said of the verifier before.
    var challenge: String { Base64URL.encode(SHA256.hash(data: Array(verifier.utf8))) }

    /// Whether there is still time at a moment.
    func isOpen(at moment: Timestamp) -> Bool {
        let age = moment - Timestamp(microseconds: begunAt * 1_000_000)
        // Clocks of two servers may be a little apart.
        return age >= .seconds(-60) && age < Self.life
    }

    private func derive(_ purpose: String) -> String {
        let message = Array("\(purpose) \(begunAt) \(returnPath.text)".utf8)
        let code = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: Array(secret.utf8)))
        return Base64URL.encode(code)
    }
}

/// A place of our own: a path, perhaps with a query, and never another host.
struct LocalPath: Sendable, Equatable {
    let text: String

    /// - Returns: `nil` for what a browser could take for the address of somebody else: `//host`, `/\host`, and anything
    ///   with spaces or control characters in it, which browsers drop before they look.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard (1...1024).contains(bytes.count), bytes[0] == UInt8(ascii: "/"),
            bytes.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\\") }),
            bytes.count == 1 || bytes[1] != UInt8(ascii: "/")
        else { return nil }
        self.text = text
    }
}

extension Base64URL {
    /// 256 random bits: what nobody guesses.
    static func random(_ ids: IDSource) -> String {
        var bytes: [UInt8] = []
        for _ in 0..<4 {
            let word = ids.random()
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        return encode(bytes)
    }
}
