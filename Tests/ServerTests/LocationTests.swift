import Commands
import HTTPTypes
import Kernel
import Projections
@testable import Server
import Synchronization
import Testing

@Suite("What was just made")
struct LocationTests {
    /// Read models that know nothing of what happened after they were made, until somebody waits for it.
    private final class Lag: Sendable {
        private let state = Mutex((waits: 0, reached: false))
        var waits: Int { state.withLock { $0.waits } }
        var isOver: Bool { state.withLock { $0.reached } }

        func wait(reaching: Bool) {
            state.withLock {
                $0.waits += 1
                $0.reached = reaching
            }
        }
    }

    private func lagging(_ lag: Lag, reaching: Bool = true) async throws -> Stage {
        var stage = try await Stage()
        let reads = stage.backend.reads
        stage.backend.reads.wait = { position, patience, models throws(ReadError) in
            try await reads.wait(position, patience, models)
            lag.wait(reaching: reaching)
            if !reaching { throw .behind(position: 1) }
        }
        stage.backend.reads.operation = { id throws(ReadError) in
            let found = try await reads.operation(id)
            return lag.isOver ? found : Reading(nil, at: 0)
        }
        stage.backend.reads.role = { user, organization throws(ReadError) in
            let role = try await reads.role(user, organization)
            return lag.isOver ? role : nil
        }
        return stage
    }

    @Test("is found by its Location at once, by who knows nothing of positions", arguments: [nil, "wait=1"])
    func location(preference: String?) async throws {
        let lag = Lag()
        let stage = try await lagging(lag)
        let made = try await stage.onboard("acme")
        let location = try #require(made.headers[.location])
        let reply = try await stage.send(
            .get,
            location,
            as: stage.ana,
            headers: preference.map { [.prefer: $0] } ?? [:]
        )
        #expect(reply.status == .ok && reply.json["id"] == made.json["operation"]?["id"], "\(reply.text)")
    }

    @Test("is found by its name too, as soon as it is told")
    func others() async throws {
        for name in ["organization", "instance", "subscription"] {
            let stage = try await lagging(Lag())
            let made = try await stage.onboard("acme")
            let id = try #require(made.json[name]?["id"]?.string)
            #expect(try await stage.send(.get, "/v1/\(name)s/\(id)", as: stage.ana).status == .ok, "\(name)")
        }
    }

    @Test("is not denied by read models that are behind: 503 says where they are, and when to come back")
    func behind() async throws {
        let stage = try await lagging(Lag(), reaching: false)
        let made = try await stage.onboard("acme")
        let reply = try await stage.send(.get, try #require(made.headers[.location]), as: stage.ana)
        #expect(reply.status == .serviceUnavailable && reply.problem == "behind", "\(reply.text)")
        #expect(reply.headers[.retryAfter] == "1" && reply.headers[.logPosition] == "1")
    }

    @Test("costs nobody a wait who finds what they ask for, and what is not there is still 404")
    func cost() async throws {
        let lag = Lag()
        let stage = try await lagging(lag)
        let made = try await stage.onboard("acme")
        let location = try #require(made.headers[.location])
        lag.wait(reaching: true)
        let waits = lag.waits
        #expect(try await stage.send(.get, location, as: stage.ana).status == .ok)
        #expect(lag.waits == waits)
        let foreign = try await stage.send(.get, location, as: stage.bob)
        let none = try await stage.send(.get, "/v1/operations/\(IDSource.system.unique())", as: stage.ana)
        #expect(foreign.problem == "not-found" && none.problem == "not-found" && lag.waits == waits + 2)
    }
}
