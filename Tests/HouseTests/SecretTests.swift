import Testing

@Suite("Secrets")
struct SecretTests {
    /// A comparison with `==` or `!=` of something that is called a secret, or the hash of one.
    private static let pattern =
        #"(?i)(secret|token|password|nonce|hash|verifier|credential)(\)|\.revealed|\?)*\s*[!=]=(?!\s*nil\b)|[!=]=(?!\s*nil\b)\s*[\w.()?]*(secret|token|password|nonce|hash|credential)\b"#

    /// What only sounds like one: the hash of a name, which chooses between people and lets nobody in.
    private static let exceptions: Set<String> = [
        "case (.register(let fact), .registered) where fact.subjectHash == registered?.subjectHash: return []"
    ]

    @Test("are compared by what takes the same time wherever the difference is, and by nothing else")
    func compared() throws {
        let regex = try Regex(Self.pattern)
        var seen = 0
        for folder in ["Server", "Commands", "Platform", "signalbox"] {
            for path in Repository.files(below: "Sources/" + folder, ending: ".swift") {
                for line in try Repository.text(path).split(separator: "\n") {
                    let code = line.drop { $0 == " " }
                    if code.contains("Secrets.same(") { seen += 1 }
                    guard !code.hasPrefix("//"), !Self.exceptions.contains(String(code)) else { continue }
                    #expect(try regex.firstMatch(in: code) == nil, "\(path): \(code)")
                }
            }
        }
        #expect(seen >= 6)
        // It finds what it looks for.
        for bad in [
            "if hash == stored {", "guard open.tokenHash != other", "x == session.forgeryToken", "a.secret == b",
        ] {
            #expect(try regex.firstMatch(in: bad) != nil, "\(bad)")
        }
    }

    @Test("are compared over all of their length")
    func same() throws {
        let text = try Repository.text("Sources/Kernel/Secrets.swift")
        let body = text.split(separator: "static func same").last ?? ""
        // Whoever returns at the first difference tells where it is.
        #expect(!body.contains("for ") && !body.contains("where:") && !body.contains("==(") && body.contains("reduce("))
    }
}
