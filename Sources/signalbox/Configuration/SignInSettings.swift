/// How browsers sign in; off unless an issuer is named.
struct SignInSettings: Equatable {
    var issuer: String
    var clientID: String
    var clientSecret: String?
    var scope: String
    /// How browsers reach us: scheme, host and port.
    var origin: String

    /// - Parameters:
    ///   - read: The environment; what is wrong is said there.
    ///   - stage: In production everything is over TLS.
    init?(_ read: inout EnvironmentReader, _ stage: Stage) {
        issuer = read.optional("SIGNALBOX_OIDC_ISSUER", as: "https URL") ?? ""
        clientID = read.optional("SIGNALBOX_OIDC_CLIENT_ID", "OAUTH2_CLIENT_ID") ?? ""
        clientSecret = read.secret("SIGNALBOX_OIDC_CLIENT_SECRET", "OAUTH2_CLIENT_SECRET")
        scope = read.text("SIGNALBOX_OIDC_SCOPES", default: "openid profile email")
        origin = read.optional("SIGNALBOX_PUBLIC_URL", as: "origin") ?? ""
        guard !issuer.isEmpty else { return nil }
        if clientID.isEmpty { read.complain("SIGNALBOX_OIDC_CLIENT_ID is missing: what the issuer calls this plane") }
        if !scope.split(separator: " ").contains("openid") {
            read.complain("SIGNALBOX_OIDC_SCOPES must have openid among them")
        }
        let isDevelopment = stage == .development
        if !issuer.hasPrefix("https://"), !(isDevelopment && issuer.hasPrefix("http://")) {
            read.complain("SIGNALBOX_OIDC_ISSUER must begin with https://")
        }
        if origin.hasSuffix("/") { origin.removeLast() }
        if origin.isEmpty {
            read.complain(
                "SIGNALBOX_PUBLIC_URL is missing: how browsers reach this plane, to come back from the issuer"
            )
        } else if !Self.isOrigin(origin, allowsPlain: isDevelopment) {
            read.complain(
                "SIGNALBOX_PUBLIC_URL must be an origin such as https://console.example; http only for this machine, in development"
            )
        }
    }

    /// Cookies that keep others out need TLS, but for what does not leave the machine.
    private static func isOrigin(_ text: String, allowsPlain: Bool) -> Bool {
        let parts = text.split(separator: "://", maxSplits: 1)
        guard parts.count == 2, !parts[1].isEmpty,
            parts[1].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || ".-:[]".contains($0)) })
        else { return false }
        if parts[0] == "https" { return true }
        let loopback = ["localhost", "127.0.0.1", "[::1]"]
        return parts[0] == "http" && allowsPlain
            && loopback.contains { parts[1] == $0 || parts[1].hasPrefix($0 + ":") }
    }
}
