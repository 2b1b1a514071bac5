import Domain
import EventStore
import Testing

@testable import Projections

@Suite("The registry of read models")
struct RegistryTests {
    @Test("every read model has a name of its own and an embedded file")
    func files() {
        #expect(Set(Registry.all.map { $0.name }).count == Registry.all.count)
        for projection in Registry.all {
            #expect(Schema.readModel(projection.name, shape: projection.shape) != nil, "\(projection.name)")
        }
    }

    @Test("every type that is read is the type of an event")
    func types() {
        let known = OrganizationEvent.types.union(UserEvent.types).union(SubscriptionEvent.types)
            .union(InstanceEvent.types).union(ReleaseEvent.types).union(SagaEvent.types)
            .union(PlatformEvent.types).union(RolloutEvent.types).union(ErasureEvent.types)
        for projection in Registry.all {
            #expect(!projection.reads.isEmpty && projection.reads.isSubset(of: known), "\(projection.name)")
        }
    }

    @Test("the work of a slice names its build, there and back")
    func work() throws {
        for projection in Registry.all {
            let build = Build(name: projection.name, shape: projection.shape, number: 12)
            let stream = try #require(StreamName(build.stream(slice: 3)))
            let parsed = try #require(Build.parse(stream.id))
            #expect(parsed.build == build && parsed.slice == 3)
        }
        #expect(Build.parse("instances.v1.b1") == nil && Build.parse("instances.1.1.1") == nil)
    }

    @Test("a cursor belongs to one list")
    func cursors() throws {
        let text = Cursor(list: "instances 42", last: 7).text
        #expect(try Cursor(text, of: "instances 42")?.last == 7)
        #expect(try Cursor(nil, of: "instances 42") == nil)
        for (text, list) in [(text, "instances 43"), ("zz", "instances 42"), ("", "instances 42")] {
            #expect(throws: ReadError.badCursor) { try Cursor(text, of: list) }
        }
    }

    @Test("a page is never larger than 200, nor smaller than 1")
    func limits() {
        #expect([PageRequest(limit: 0), PageRequest(limit: 1000), PageRequest()].map(\.limit) == [1, 200, 50])
    }
}
