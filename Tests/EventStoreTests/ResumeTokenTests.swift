import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("A resume token")
struct ResumeTokenTests {
    private let leaf = [UInt8](0..<32)

    @Test("is read as it was written")
    func text() throws {
        let token = ResumeToken(position: 42, leaf: leaf)
        #expect(token.description == "42.000102030405060708090a0b0c0d0e0f")
        #expect(ResumeToken(token.description) == token)
        #expect(ResumeToken("42") == ResumeToken(position: 42, leaf: nil))
        #expect(ResumeToken(position: 42, leaf: nil).description == "42")
    }

    @Test(
        "is nothing else",
        arguments: [
            "", ".", "-1", "+1", " 1", "1.", "1.00", "x", "1.zz0102030405060708090a0b0c0d0e0f",
            "1.000102030405060708090a0b0c0d0e0f00", "1.000102030405060708090a0b0c0d0e0f.", "99999999999999999999",
            "9223372036854775807",
            ".000102030405060708090a0b0c0d0e0f",
        ]
    )
    func nonsense(text: String) {
        #expect(ResumeToken(text) == nil)
    }

    @Test("matches its own leaf only, and a position alone matches all")
    func matches() {
        let token = ResumeToken(position: 42, leaf: leaf)
        #expect(token.matches(leaf))
        var other = leaf
        other[15] ^= 1
        #expect(!token.matches(other))
        #expect(!token.matches(nil))
        #expect(ResumeToken(position: 42, leaf: nil).matches(nil))
    }

    @Test("of one log is unknown to another", arguments: LogKind.allCases)
    func leaves(kind: LogKind) async throws {
        var tokens: [ResumeToken] = []
        for _ in 1...2 {
            try await kind.with { log, _ in
                let leaves = try #require(log as? any LeafDirectory)
                _ = try await log.append(request("a-1", .none, events: 2))
                #expect(try await leaves.leaf(at: 3) == nil)
                #expect(try await leaves.leaf(at: 0) == nil)
                let leaf = try #require(try await leaves.leaf(at: 2))
                #expect(tokens.allSatisfy { !$0.matches(leaf) })
                tokens.append(ResumeToken(position: 2, leaf: leaf))
            }
        }
        #expect(tokens.count == 2)
    }
}
