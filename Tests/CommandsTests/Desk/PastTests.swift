import Commands
import Domain
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("What was")
struct PastTests {
    @Test("at every version is what deciding saw there")
    func versions() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let made = try await plane.onboarded(by: person)
        let id = made.answer.organization
        for name in ["Second", "Third", "Fourth"] {
            _ = try await plane.desk.renameOrganization(id, to: name, by: .once(person))
        }
        let stream = Streams.organization(id)
        let events = try await plane.log.read(stream, after: 0, limit: 100)
        var model = Organization()
        for event in events {
            let decoded = try OrganizationEvent.decode(
                type: event.type,
                schemaVersion: event.schemaVersion,
                payload: event.payload ?? []
            )
            model.evolve(try #require(decoded))
            let state = try #require(try await Past(log: plane.log).state(of: stream, at: .version(event.version)))
            #expect(state.state == (try JSON.decode(JSONValue.self, from: JSON.encode(model))))
            #expect(state.version == event.version)
            #expect(state.position == event.position)
            #expect(state.recordedAt == event.recordedAt)
            #expect(state.organization == id)
            #expect(try await Past(log: plane.log).state(of: stream, at: .position(event.position)) == state)
        }
        #expect(model.name == "Fourth")
    }

    @Test("of every kind of stream that has a write model can be told")
    func kinds() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        _ = try await plane.onboarded(by: person)
        _ = try await plane.desk.issuePlatformKey(.operator, key: IssuedKey(ids: .system), by: .own(ids: .system))
        let past = Past(log: plane.log)
        let streams = Set(plane.log.events.map(\.stream))
        #expect(Set(streams.map(\.category)).count == 6)
        for stream in streams {
            let state = try #require(try await past.state(of: stream, at: .now))
            #expect(state.state.object?.isEmpty == false, "\(stream)")
        }
        #expect(try await past.state(of: Streams.platform, at: .version(0)) == nil)
        let saga = try #require(StreamName("saga-x"))
        await #expect(throws: PastError.noState(category: "saga")) { try await past.state(of: saga, at: .now) }
    }
}
