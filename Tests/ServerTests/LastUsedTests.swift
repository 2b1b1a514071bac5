import Commands
import HTTPTypes
import Kernel
@testable import Server
import Synchronization
import Testing

@Suite("When keys were used last")
struct LastUsedTests {
    private final class Uses: Sendable {
        let seen = Mutex<[KeyID: Timestamp]>([:])
    }

    @Test("is noted of good keys alone, and shown in every list of keys")
    func noted() async throws {
        let uses = Uses()
        var stage = try await Stage()
        stage.backend.keyUses.note = { key, moment in uses.seen.withLock { $0[key] = moment } }
        stage.backend.keyUses.uses = { keys in
            uses.seen.withLock { seen in seen.filter { keys.contains($0.key) } }
        }
        let made = try await stage.send(.post, "/v1/me/api-keys", as: stage.ana, body: "{}")
        let text = try #require(made.json["key"]?.string)
        let unused = try #require(APIKey(text)?.id)
        let list = try await stage.send(.get, "/v1/me/api-keys", as: stage.ana)
        let shown = try #require(list.json["data"]?.array)
        let own = shown.first { $0["id"] == .string(stage.ana.id.description) }
        #expect(own?["lastUsedAt"]?.string.flatMap { Timestamp($0) } != nil)
        #expect(shown.first { $0["id"] == .string(unused.description) }?["lastUsedAt"] == .null)
        let wrong = try await stage.send(.get, "/v1/me", headers: [.authorization: "Bearer \(text)x"])
        #expect(wrong.status == .unauthorized && uses.seen.withLock { $0[unused] } == nil)
        let good = try await stage.send(.get, "/v1/me", headers: [.authorization: "Bearer \(text)"])
        #expect(good.status == .ok && uses.seen.withLock { $0[unused] } != nil)
        let platform = try await stage.send(.get, "/v1/admin/api-keys", as: stage.operatorKey)
        #expect(platform.json["data"]?.array?.first?["lastUsedAt"]?.string != nil)
    }

    @Test("that cannot be asked for is no reason to say that a key was never used")
    func unavailable() async throws {
        var stage = try await Stage()
        stage.backend.keyUses.uses = { _ in nil }
        #expect(try await stage.send(.get, "/v1/me/api-keys", as: stage.ana).status == .serviceUnavailable)
    }
}
