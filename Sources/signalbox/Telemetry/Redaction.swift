/// Takes out of texts what nobody may read in a log: the secrets of the settings, and everything that looks like one.
struct Redaction: Sendable {
    /// What stands in the place of a secret.
    static let mark = "[redacted]"

    /// Values known to be secret, the longest first, so that none hides a part of another.
    private let secrets: [String]

    /// Knows these values beside the shapes that every secret of ours has.
    ///
    /// - Parameter secrets: Values of settings; short ones are passed over, because they would be found in any text.
    init(_ secrets: [String] = []) {
        let parts = secrets.flatMap { secret in
            [secret] + Self.passwords(in: secret).flatMap { [$0, Self.decoded($0)] }
        }
        self.secrets = Set(parts.filter { $0.utf8.count >= 6 }).sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    }

    /// The text without secrets.
    func callAsFunction(_ text: String) -> String {
        var text = text
        for secret in secrets where text.contains(secret) {
            text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: Self.mark)
        }
        return Self.shapes(text)
    }

    /// Whether what is kept under this name is a secret, whatever it looks like.
    static func isSecret(name: String) -> Bool {
        let letters = name.lowercased().filter { $0.isLetter }
        return [
            "password", "passwd", "secret", "token", "authorization", "cookie", "apikey", "masterkey", "databaseurl",
        ]
        .contains { letters.hasSuffix($0) }
    }

    /// What stands between `://` and `@`; `nil` when the text is no address with credentials in it.
    static func userinfo(of text: String) -> String? {
        guard let scheme = text.firstRange(of: "://") else { return nil }
        // As libpq reads it: only a slash ends the credentials, whatever else a URI would have written with a percent sign.
        let rest = text[scheme.upperBound...].prefix { !$0.isWhitespace && !"/\"'".contains($0) }
        return rest.lastIndex(of: "@").map { String(rest[..<$0]) }
    }

    /// A part of a URI as it is meant.
    static func decoded(_ text: String) -> String {
        let parts = text.split(separator: "%", omittingEmptySubsequences: false)
        let bytes = parts.dropFirst().reduce(into: Array(parts[0].utf8)) { bytes, part in
            guard let byte = part.count >= 2 ? UInt8(part.prefix(2), radix: 16) : nil else {
                bytes += [UInt8(ascii: "%")] + part.utf8
                return
            }
            bytes += [byte] + part.dropFirst(2).utf8
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The passwords of a URI or of a connection string of libpq.
    private static func passwords(in text: String) -> [String] {
        let uri = userinfo(of: text)?.split(separator: ":", maxSplits: 1).dropFirst().map(String.init) ?? []
        let pairs = text.split(separator: "password=").dropFirst().map { rest in
            rest.hasPrefix("'")
                ? String(rest.dropFirst().prefix { $0 != "'" }) : String(rest.prefix { !" &".contains($0) })
        }
        return uri + pairs
    }

    /// Words that are secrets by their shape, and words after which a secret comes.
    private static func shapes(_ text: String) -> String {
        guard hints.contains(where: { text.firstRange(of: $0) != nil }) else { return text }
        var result = ""
        var rest = text[...]
        var previous = ""
        while let start = rest.firstIndex(where: { !isSeparator($0) }) {
            result += rest[..<start]
            let word = String(rest[start...].prefix { !isSeparator($0) })
            result += announces(previous) ? mark : redacted(word)
            // The sign of `"password": "…"` is a word of its own.
            previous = [":", "="].contains(word) ? previous + word : word
            rest = rest[start...].drop { !isSeparator($0) }
        }
        return result + rest
    }

    /// Whether a secret comes after this word.
    private static func announces(_ word: String) -> Bool {
        if ["bearer", "basic"].contains(word.lowercased()) { return true }
        guard let sign = word.last, ":=".contains(sign) else { return false }
        return isSecret(name: String(word.dropLast()))
    }

    private static let hints = [
        "sbx_", "vk_live_key_", "eyJ", "earer", "EARER", "asic", "://", "assword", "ASSWORD", "ecret", "ECRET", "oken",
        "OKEN", "whsec_", "PRIVATE KEY",
    ]

    private static func isSeparator(_ character: Character) -> Bool {
        character.isWhitespace || "\"'`,;()[]{}<>".contains(character)
    }

    private static func redacted(_ word: String) -> String {
        if isKey(word) { return mark }
        guard word.contains("=") else { return address(word) }
        // `password=…`, `?token=…&more=…`
        return word.split(separator: "&", omittingEmptySubsequences: false).map { piece in
            let sides = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2, !sides[1].isEmpty else { return address(String(piece)) }
            let isSecret = isSecret(name: sides[0]) || isKey(sides[1])
            return address(sides[0]) + "=" + (isSecret ? mark : address(sides[1]))
        }.joined(separator: "&")
    }

    /// An address without its credentials.
    private static func address(_ word: String) -> String {
        guard let credentials = userinfo(of: word), !credentials.isEmpty,
            let found = word.firstRange(of: "://" + credentials + "@")
        else { return word }
        return word[..<found.lowerBound] + "://" + mark + "@" + word[found.upperBound...]
    }

    /// Keys, tokens and signing secrets.
    private static func isKey(_ word: String) -> Bool {
        if ["sbx_", "vk_live_key_", "whsec_"].contains(where: { word.hasPrefix($0) && word.count > $0.count + 8 }) {
            return true
        }
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 3 && word.hasPrefix("eyJ") && parts.allSatisfy { $0.count >= 2 }
    }
}
