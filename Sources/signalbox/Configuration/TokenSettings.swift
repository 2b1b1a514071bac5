/// Whose tokens are good; off unless an issuer is named.
struct TokenSettings: Equatable {
    /// What `iss` must be.
    var issuer: String
    /// What `aud` must be or contain.
    var audience: String
    /// Where the issuer's key set is: a URL, or the path of a file.
    var keys: String

    /// - Parameters:
    ///   - read: The environment; what is wrong is said there.
    ///   - stage: In production keys are fetched over TLS only.
    init?(_ read: inout EnvironmentReader, _ stage: Stage) {
        issuer = read.optional("SIGNALBOX_JWT_ISSUER") ?? ""
        audience = read.optional("SIGNALBOX_JWT_AUDIENCE") ?? ""
        keys = read.optional("SIGNALBOX_JWT_KEYS", as: "https URL or absolute path") ?? ""
        let parts = [
            (issuer, "SIGNALBOX_JWT_ISSUER", "who signs the tokens, as `iss` says it"),
            (audience, "SIGNALBOX_JWT_AUDIENCE", "what `aud` of a token for this plane is"),
            (keys, "SIGNALBOX_JWT_KEYS", "the URL or the absolute path of the issuer's key set"),
        ]
        guard parts.contains(where: { !$0.0.isEmpty }) else { return nil }
        for (value, name, meaning) in parts where value.isEmpty { read.complain("\(name) is missing: \(meaning)") }
        guard !keys.isEmpty else { return nil }
        let isPlain = stage == .development && keys.hasPrefix("http://")
        if !keys.hasPrefix("https://"), !keys.hasPrefix("/"), !isPlain {
            read.complain("SIGNALBOX_JWT_KEYS must be an https URL or an absolute path")
        }
    }
}
