internal import Server

extension Settings {
    /// `commands/reads` of one principal in a minute, or `off`.
    static func limits(_ read: inout EnvironmentReader) -> RateLimits? {
        guard
            let text = read.optional("SIGNALBOX_RATE_LIMIT", as: "`<commands>/<reads>` or `off`", otherwise: "300/6000")
        else { return RateLimits() }
        if text == "off" { return nil }
        let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard numbers.count == 2, numbers.allSatisfy({ 1...1_000_000 ~= $0 }) else {
            read.complain("SIGNALBOX_RATE_LIMIT must be <commands a minute>/<reads a minute>, or off")
            return nil
        }
        return RateLimits(commands: numbers[0], reads: numbers[1])
    }

    /// Scheme, host and port, as browsers send them; there is no way to say all.
    static func origins(_ read: inout EnvironmentReader) -> [String] {
        let origins = read.list("SIGNALBOX_CORS_ORIGINS", "CORS_ORIGINS", "CORS_ORIGIN", as: "origins, comma between")
        for origin in origins {
            let host = origin.split(separator: "://", maxSplits: 1).dropFirst().first ?? ""
            let isGood =
                ["https://", "http://"].contains { origin.hasPrefix($0) } && !host.isEmpty
                && host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-:[]".contains($0)) }
            if !isGood {
                read.complain("SIGNALBOX_CORS_ORIGINS must be origins such as https://console.example: \(origin)")
            }
        }
        return origins
    }
}
