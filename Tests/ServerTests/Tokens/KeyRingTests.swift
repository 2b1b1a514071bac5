import Kernel
@testable import Server
import Testing

@Suite("The keys of an issuer")
struct KeyRingTests {
    private let issuer: Issuer

    init() throws { issuer = try Issuer() }

    @Test("keys are fetched once, and again when they are old")
    func caching() async throws {
        let ring = issuer.ring()
        for _ in 0..<5 { #expect(try await ring.key("ed") != nil) }
        #expect(issuer.fetches == 1)
        issuer.pass(.seconds(601))
        #expect(try await ring.key("ed") != nil)
        #expect(issuer.fetches == 2)
    }

    @Test("a key that the issuer begins to sign with is found, and one that it gave up is not good any more")
    func rotation() async throws {
        let ring = issuer.ring()
        #expect(try await ring.key("ed") != nil)
        let keys = try issuer.keys()
        var fresh = keys[2].object ?? [:]
        fresh["kid"] = "ed-2"
        issuer.publish([keys[0], .object(fresh)])
        issuer.pass(.seconds(11))
        #expect(try await ring.key("ed-2") != nil)
        #expect(try await ring.key("ed") == nil)
        #expect(issuer.fetches == 2)
    }

    @Test("who makes key ids up causes few fetches")
    func storm() async throws {
        let ring = issuer.ring()
        for number in 0..<2000 { #expect(try await ring.key("made-up-\(number)") == nil) }
        #expect(issuer.fetches == 1)
        issuer.pass(.seconds(11))
        for number in 0..<2000 { _ = try await ring.key("another-\(number)") }
        #expect(issuer.fetches == 2)
        #expect(try await ring.key("ed") != nil)
    }

    @Test("a key that is not there is not looked for again for a while")
    func negative() async throws {
        let ring = issuer.ring(.init(pause: .zero))
        for _ in 0..<5 { #expect(try await ring.key("gone") == nil) }
        let fetches = issuer.fetches
        #expect(fetches <= 2)
        issuer.pass(.seconds(61))
        _ = try await ring.key("gone")
        #expect(issuer.fetches == fetches + 1)
    }

    @Test("a key that is asked for too soon to be looked for is looked for as soon as may be")
    func soon() async throws {
        let ring = issuer.ring()
        #expect(try await ring.key("ed") != nil)
        var fresh = try issuer.keys()[2].object ?? [:]
        fresh["kid"] = "ed-2"
        issuer.publish([.object(fresh)])
        issuer.pass(.seconds(9))
        #expect(try await ring.key("ed-2") == nil)
        issuer.pass(.seconds(1))
        #expect(try await ring.key("ed-2") != nil)
        #expect(issuer.fetches == 2)
    }

    @Test("when the keys cannot be fetched, the known ones stay good for a day and no longer")
    func outage() async throws {
        let ring = issuer.ring()
        #expect(try await ring.key("ed") != nil)
        issuer.publish(nil)
        issuer.pass(.seconds(3600))
        #expect(try await ring.key("ed") != nil)
        issuer.pass(.seconds(86_400))
        await #expect(throws: KeyRing.Unavailable.self) { try await ring.key("ed") }
        issuer.publish(try issuer.keys())
        issuer.pass(.seconds(11))
        #expect(try await ring.key("ed") != nil)
    }

    @Test("without a first answer nothing can be said, and the issuer is not asked again at once")
    func neverFetched() async throws {
        issuer.publish(nil)
        let ring = issuer.ring()
        for _ in 0..<3 { await #expect(throws: KeyRing.Unavailable.self) { try await ring.key("ed") } }
        #expect(issuer.fetches == 1)
    }

    @Test("what is no key set is as good as no answer")
    func nonsense() async throws {
        let ring = issuer.ring()
        #expect(try await ring.key("ed") != nil)
        issuer.publish([])
        issuer.pass(.seconds(700))
        #expect(try await ring.key("ed") != nil)
    }

    @Test("all who ask at once share one fetch")
    func together() async throws {
        let ring = issuer.ring()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 { group.addTask { try await ring.key("p256") != nil } }
            for try await found in group { #expect(found) }
        }
        #expect(issuer.fetches == 1)
    }
}
