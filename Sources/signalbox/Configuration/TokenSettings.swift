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
        let names = ["SIGNALBOX_JWT_ISSUER", "SIGNALBOX_JWT_AUDIENCE", "SIGNALBOX_JWT_KEYS"]
        guard names.contains(where: { read.optional($0) != nil }) else { return nil }
        issuer = read.required(names[0], meaning: "who signs the tokens, as `iss` says it")
        audience = read.required(names[1], meaning: "what `aud` of a token for this plane is")
        keys = read.required(names[2], meaning: "the URL or the absolute path of the issuer's key set")
        guard !keys.isEmpty else { return nil }
        let isPlain = stage == .development && keys.hasPrefix("http://")
        if !keys.hasPrefix("https://"), !keys.hasPrefix("/"), !isPlain {
            read.complain("SIGNALBOX_JWT_KEYS must be an https URL or an absolute path")
        }
    }
}
