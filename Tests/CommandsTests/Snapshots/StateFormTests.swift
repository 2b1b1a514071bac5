import Commands
import Domain
import Kernel
import SignalboxTestKit
import Testing

@Suite("Forms of states")
struct StateFormTests {
    private static func fixture<Model: Decider>(_ name: String, _: Model.Type) throws -> FoldFixture {
        try FoldFixture(name, of: Model.Event.self, from: Model()) { $0.evolve($1) }
    }

    @Test("a version of a state makes the same of every event for ever; UPDATE_STATES=1 enters new events")
    func forms() throws {
        for fixture in try [
            Self.fixture("organization", Organization.self), Self.fixture("user", User.self),
            Self.fixture("subscription", Subscription.self), Self.fixture("instance", Instance.self),
            Self.fixture("release", Release.self), Self.fixture("rollout", Rollout.self),
            Self.fixture("platform-keys", PlatformKeys.self),
        ] {
            let complaints = try fixture.complaints()
            #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
        }
    }

    @Test("a state that is made otherwise, an event that is new and one that is gone are named")
    func complains() throws {
        let fixture = try Self.fixture("platform-keys", PlatformKeys.self)
        let complaints = fixture.complaints(comparedWith: ["platform.api-key-issued": [], "platform.gone": []])
        for expected in [
            "platform.api-key-issued is not what version 1 makes of it", "platform.api-key-revoked is new",
            "platform.gone is gone",
        ] {
            #expect(complaints.contains { $0.contains(expected) })
        }
        #expect(complaints.count == PlatformEvent.Name.allCases.count + 1)
    }
}
