import Domain
import EventStore
import Kernel
import Testing

@testable import Projections

@Suite("Folding a page")
struct PageFoldTests {
    private func life() throws -> Story {
        var story = try Story.whole(3)
        try story.tell(InstanceEvent.routeWithdrawn(.init(router: "org-2", generation: 1)), of: 502, org: 2)
        return story
    }

    @Test("pages of any size give the same bytes", arguments: 0..<Registry.all.count)
    func anySize(index: Int) throws {
        func check<P: Projection>(_ projection: P.Type) throws {
            let events = try life().events
            let whole = try Story.fold(projection, events, pages: []).documents
            #expect(!whole.isEmpty)
            for size in [1, 2, 3, 7, 20] {
                let pages = Array(repeating: size, count: events.count)
                #expect(try Story.fold(projection, events, pages: pages).documents == whole, "pages of \(size)")
            }
        }
        try check(Registry.all[index])
    }

    @Test("an event that cannot be folded blocks its organization from there on, and nobody else", arguments: [1, 100])
    func poison(size: Int) throws {
        var story = Story()
        try story.onboard(42, instance: 400)
        try story.onboard(43, instance: 401)
        let stream = StreamName(category: "instance", id: 400)
        let bad = try story.write(stream, "instance.running", Array(#"{"generation":1}"#.utf8))
        for id in [Int64(400), 401] {
            try story.tell(InstanceEvent.stopRequested(Because(reason: "x")), of: id, org: id - 358)
        }
        let pages = Array(repeating: size, count: story.events.count)
        let end = try Story.fold(Instances.self, story.events, pages: pages)
        #expect(end.rows["400"]?.status == .provisioning, "what came before is folded, what comes after is not")
        #expect(end.rows["401"]?.status == .stopping)
        #expect(end.poison.map(\.organization) == [42] && end.poison.map(\.position) == [bad])
        #expect(end.poison.first?.error == "instance.running: no field launchURL")
    }

    @Test("an event without its row is poison too, and the first one counts")
    func missing() throws {
        var story = Story()
        let first = try story.tell(InstanceEvent.started(Nothing()), of: 400)
        try story.write(StreamName(category: "instance", id: 400), "instance.running", Array("{".utf8))
        let poison = try Story.fold(Instances.self, story.events, pages: []).poison
        #expect(poison.map(\.position) == [first])
        #expect(poison.first?.error == "instance.started: no row 400")
    }

    @Test("what an error says about poison never quotes the event")
    func discreet() throws {
        var story = Story()
        let stream = StreamName(category: "instance", id: 400)
        try story.write(stream, "instance.running", Array(#"{"generation":"s3cret","launchURL":1}"#.utf8))
        let poison = try #require(try Story.fold(Instances.self, story.events, pages: []).poison.first)
        #expect(!poison.error.contains("s3cret"))
    }

    @Test("an erased payload is passed over")
    func erased() throws {
        var story = Story()
        try story.tell(Story.requested(), of: 400)
        try story.write(StreamName(category: "instance", id: 400), "instance.observed", nil)
        let end = try Story.fold(Instances.self, story.events, pages: [])
        #expect(end.poison.isEmpty && end.rows["400"]?.status == .provisioning)
    }

    @Test("a NUL, which Postgres cannot store, is replaced and nothing else is")
    func nul() throws {
        var story = Story()
        let name = #"a\u0000b"# + "\u{0}c\\" + "\u{0}" + #"\\u0000"#
        try story.tell(OrganizationEvent.created(.init(name: name, slug: "s", owner: Story.identifier(7))), of: 42)
        let stored = try #require(try story.rows(of: Organizations.self)["42"]).name
        #expect(stored == #"a\u0000b"# + "\u{fffd}c\\" + "\u{fffd}" + #"\\u0000"#)
    }
}
