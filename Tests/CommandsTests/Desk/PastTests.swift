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
        let thing = try #require(StreamName("thing-x"))
        await #expect(throws: PastError.noState(category: "thing")) { try await past.state(of: thing, at: .now) }
    }

    @Test("of an erasure is its record, and of other streams what somebody folds from them")
    func others() async throws {
        let log = MemoryLog()
        for (name, payload) in [("erasure-7", #"{"position":7,"reason":"x"}"#), ("thing-1", "1"), ("thing-1", "2")] {
            let event = NewEvent(id: IDSource.system.unique(), type: "thing.happened", payload: Array(payload.utf8))
            _ = try await log.append(
                AppendRequest(
                    causation: Causation(actor: "system", command: IDSource.system.unique()),
                    writes: [StreamWrite(try #require(StreamName(name)), expecting: .any, events: [event])]
                )
            )
        }
        let counting = Past.Fold([Int64]()) { numbers, event in numbers.append(event.version) }
        let past = Past(log: log, folds: ["thing": counting])
        let erasure = try await past.state(of: try #require(StreamName("erasure-7")), at: .now)
        #expect(erasure?.state == ["position": 7, "reason": "x"])
        let thing = try #require(StreamName("thing-1"))
        #expect(try await past.state(of: thing, at: .version(1))?.state == [1])
        #expect(try await past.state(of: thing, at: .now)?.state == [1, 2])
        #expect(try await past.state(of: try #require(StreamName("thing-2")), at: .version(5)) == nil)
    }

    @Test("is told of no version and no position that is still to come")
    func toCome() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let stream = Streams.organization(try await plane.onboarded(by: person).answer.organization)
        let past = Past(log: plane.log)
        let end = try await plane.log.frontier()
        let version = try #require(try await past.state(of: stream, at: .now)).version
        #expect(try await past.state(of: stream, at: .position(end))?.version == version)
        await #expect(throws: PastError.notYet("\(stream) has \(version) events")) {
            try await past.state(of: stream, at: .version(version + 1))
        }
        await #expect(throws: PastError.notYet("the log has \(end) events")) {
            try await past.state(of: stream, at: .position(end + 1))
        }
    }
}
