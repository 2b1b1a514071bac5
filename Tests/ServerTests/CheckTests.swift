import HTTPTypes
import Kernel
import Platform
import Projections
import Sagas
@testable import Server
import Synchronization
import Testing

@Suite("How an instance is, looked at where it is")
struct CheckTests {
    private final class Looks: Sendable {
        private let state = Mutex<[Bool]>([])
        var all: [Bool] { state.withLock { $0 } }
        func add(_ isUp: Bool) { state.withLock { $0.append(isUp) } }
    }

    private static func check(_ name: String, _ finding: InstanceCheck.Finding) -> InstanceCheck {
        InstanceCheck(name: name, finding, took: .milliseconds(3))
    }

    @Test("is told with the worst first, to members alone")
    func told() async throws {
        var stage = try await Stage()
        let looks = Looks()
        stage.backend.checks = { _, isUp in
            looks.add(isUp)
            return .success([Self.check("job", .passing), Self.check("route", .failing("no router of that name"))])
        }
        let made = try await stage.onboard("acme")
        let path = "/v1/instances/\(try #require(made.json["instance"]?["id"]?.string))/checks"
        let dispatcher = stage.dispatcher
        let reply = try await stage.send(.get, path, as: stage.ana, through: dispatcher)
        #expect(reply.status == .ok && reply.json["status"] == "failing", "\(reply.text)")
        #expect(reply.json["data"]?.array?.last?["detail"] == "no router of that name")
        #expect(reply.json["data"]?.array?.first?["detail"] == nil)
        let faults = try #require(API.shapes["InstanceChecks"]).resolved.faults(in: reply.json)
        #expect(faults.isEmpty, "\(faults)")
        #expect(try await stage.send(.get, path, as: stage.bob, through: dispatcher).problem == "not-found")
        // It is being provisioned: what is not there yet is not looked for.
        #expect(looks.all.first == false)
    }

    @Test("is 503 when the log does not say what there should be")
    func unavailable() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let path = "/v1/instances/\(try #require(made.json["instance"]?["id"]?.string))/checks"
        #expect(try await stage.send(.get, path, as: stage.ana).problem == "unavailable")
    }

    @Test("a look is good for its span, and no longer")
    func span() async throws {
        let checked = Checked(for: .seconds(5))
        let (instance, start) = (try #require(InstanceID(7)), ContinuousClock.now)
        let looks = Looks()
        let look: @Sendable () async -> Checked.Found = {
            looks.add(true)
            return .success(InstanceChecksView(at: Timestamp(microseconds: 0), data: []))
        }
        for seconds in [0, 1, 4, 5, 6, 10] {
            _ = await checked.value(of: instance, at: start + .seconds(seconds), look)
        }
        #expect(looks.all.count == 3)
    }
}
