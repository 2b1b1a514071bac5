import HTTPTypes
import Kernel
@testable import Server
import Testing

@Suite("What shapes take")
struct SchemaTests {
    /// Every pattern of the API, and texts around what it takes.
    private static let patterns: [TextPattern] = [
        "^(0|[1-9][0-9]{0,18})$", "^[0-9]+(\\.[0-9a-f]{32})?$", "^sha256:[0-9a-f]{4}$", "^[1-9][0-9]*%?$",
        "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$", "^[a-z][a-z0-9]{0,15}$", "^_+[0-9]+_.+$", "^a{2,}b|c$", "^$",
        "^(a*)*b$", "^[a.-]+$", "^x(?:a|ab)(?:c|bcd)$",
    ]

    @Test("a pattern takes what a regular expression takes", arguments: 0..<11)
    func patterns(index: Int) throws {
        let pattern = Self.patterns[index]
        // `$` of the standard library also stands before a last line break.
        let body = pattern.text.dropFirst().dropLast()
        let oracle = try Regex(String(body)).matchingSemantics(.unicodeScalar)
        var random = SeededGenerator(seed: UInt64(index) + 1)
        let alphabet = [
            "a", "b", "c", "d", "f", "x", "0", "1", "9", "-", ".", "%", "_", "sbi_", "sha256:", "\n", "é", "Z",
        ]
        var taken = 0
        for _ in 0..<3000 {
            let length = Int.random(in: 0...7, using: &random)
            let text = (0..<length).map { _ in alphabet.randomElement(using: &random) ?? "" }.joined()
            let expected = text.wholeMatch(of: oracle) != nil
            taken += expected ? 1 : 0
            #expect(pattern.matches(text) == expected, "\(pattern.text) \(text)")
        }
        #expect(taken > 0)
    }

    @Test("a pattern that could be taken in many ways is judged at once")
    func backtracking() {
        let slug: TextPattern = "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
        #expect(!slug.matches(String(repeating: "a", count: 62) + "-"))
        #expect(slug.matches(String(repeating: "a", count: 63)) && !slug.matches(String(repeating: "a", count: 64)))
    }

    @Test(
        "formats and patterns are judged like lengths",
        arguments: [
            ("uuid", "0190f2d4-3a8e-7cc1-8f00-0123456789ab", true),
            ("uuid", "0190F2D4-3A8E-7CC1-8F00-0123456789AB", true),
            ("uuid", "0190f2d4-3a8e-7cc1-8f00-0123456789ag", false),
            ("uuid", "0190f2d4-3a8e-7cc1-8f000-123456789ab", false),
            ("uuid", "000000000000000000000000000000000000", false), ("time", "2026-01-31T10:00:00Z", true),
            ("time", "2026-01-31T10:00:00.000001+02:00", true), ("time", "2026-02-30T10:00:00Z", false),
            ("time", "2026-01-31 10:00:00 UTC", false), ("identifier", "1", true), ("identifier", "01", false),
            ("identifier", "1\n", false), ("identifier", "-1", false), ("identifier", "１", false),
        ]
    )
    func formats(kind: String, text: String, good: Bool) {
        let schema: Schema = kind == "uuid" ? .uuid : kind == "time" ? .time : .identifier
        #expect(schema.faults(in: .string(text)).isEmpty == good)
    }

    @Test("a wrong value is told in a query and in a body, and names nothing in a path")
    func places() async throws {
        let stage = try await Stage()
        let zeros = String(repeating: "0", count: 36)
        for (path, parameter) in [
            ("/v1/admin/resources?saga=\(zeros)", "saga"), ("/v1/events?organization=abc", "organization"),
            ("/v1/events?from=2026-02-30T00:00:00Z", "from"), ("/v1/events?after=x1", "after"),
        ] {
            let reply = try await stage.send(.get, path, as: stage.operatorKey)
            #expect(reply.status == .unprocessableContent && reply.parameters == [parameter], "\(path)")
        }
        for path in [
            "/v1/organizations/abc", "/v1/operations/\(zeros)", "/v1/events/0", "/v1/events/+1", "/v1/admin/sagas/x",
        ] {
            let reply = try await stage.send(.get, path, as: stage.operatorKey)
            #expect(reply.status == .notFound && reply.problem == "not-found", "\(path)")
        }
        let size = try await stage.size
        let reply = try await stage.send(
            .post,
            "/v1/organizations",
            as: stage.ana,
            body: #"{"name":"Acme","slug":"Not a slug"}"#
        )
        #expect(reply.status == .unprocessableContent && reply.pointers == ["#/slug"])
        #expect(try await stage.size == size)
    }
}

/// The same numbers for the same seed.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
