/// Texts that stand in documentation, templates and other people's repositories, and so are no secrets.
enum ExampleKeys {
    /// What is wrong with the secrets of a plane that is to serve, one line for each.
    static func problems(with secrets: [(name: String, value: String)]) -> [String] {
        var said: Set<String> = []
        return secrets.filter { isExample(password(in: $0.value)) && said.insert($0.name).inserted }
            .map { "\($0.name) is an example, not a secret: in production it must be one of your own" }
    }

    /// Whether a value is one that people have seen, or that nobody can have meant.
    static func isExample(_ secret: String) -> Bool {
        let text = secret.lowercased()
        if words.contains(text) || parts.contains(where: { text.contains($0) }) { return true }
        // A placeholder such as `<admin-password>` or `${DB_PASSWORD}`.
        if text.hasPrefix("<") && text.hasSuffix(">") || text.hasPrefix("${") { return true }
        return text.count > 3 && Set(text).count == 1
    }

    private static let words: Set<String> = [
        "admin", "dev", "development", "hunter2", "key", "letmein", "none", "pass", "passw0rd", "password", "postgres",
        "qwerty", "root", "secret", "signalbox", "test", "token", "12345", "123456", "12345678", "123456789",
    ]

    private static let parts = [
        "changeme", "change-me", "change_me", "replaceme", "replace-me", "replace_me", "your-", "your_", "example",
        "insecure", "placeholder", "super-secret", "xxxxxxxx",
    ]

    /// What is secret about a value: the password of a connection string, the part behind the id of a key of ours, else
    /// all of it.
    private static func password(in value: String) -> String {
        if let credentials = Redaction.userinfo(of: value) {
            return credentials.split(separator: ":", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
        }
        if value.hasPrefix("sbx_") {
            return value.split(separator: "_", maxSplits: 2).dropFirst(2).first.map(String.init) ?? ""
        }
        return value
    }
}
