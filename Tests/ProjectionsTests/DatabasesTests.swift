import Domain
import EventStore
import Kernel
import Testing

@testable import Projections

@Suite("Read models of databases, and of who did what")
struct DatabasesTests {
    private let instance = InstanceID(at: Timestamp(microseconds: 0), random: 7)

    private func rows<Model: Projection>(_ model: Model.Type, _ events: [InstanceEvent]) throws -> [String: Model.Row] {
        var story = Story()
        for event in events { try story.tell(event, of: instance) }
        return try story.rows(of: model)
    }

    @Test("a database is there, is saved, put aside and dropped")
    func life() throws {
        let made = InstanceEvent.databaseProvisioned(
            .init(database: "acme", role: "acme", host: "db", port: 5432, generation: 1)
        )
        let until = Timestamp(microseconds: 9_000_000)
        let aside = InstanceEvent.databaseQuarantined(.init(database: "acme", renamed: "zz_acme_1", until: until))
        let saved = InstanceEvent.backedUp(.init(database: "acme", path: "/b/acme.dump", size: 3, sha256: "00"))
        let dropped = InstanceEvent.databaseDropped(.init(database: "acme", role: "acme"))
        #expect(try rows(Databases.self, [made])["acme"]?.status == .present)
        let put = try rows(Databases.self, [made, saved, aside])["acme"]
        #expect(put?.status == .quarantined && put?.renamed == "zz_acme_1" && put?.droppedAfter == until)
        #expect(put?.backup?.path == "/b/acme.dump" && put?.position == 1)
        #expect(try rows(Databases.self, [made, saved, aside, dropped])["acme"]?.status == .dropped)
    }

    @Test("what a generation left behind is known from when it was put aside")
    func orphan() throws {
        let aside = InstanceEvent.databaseQuarantined(
            .init(
                database: "left",
                renamed: "zz_left_1",
                until: Timestamp(microseconds: 1),
                orphan: .init(role: "left_g2", generation: 2)
            )
        )
        let row = try rows(Databases.self, [aside])["left"]
        #expect(row?.role == "left_g2" && row?.generation == 2 && row?.status == .quarantined)
    }

    @Test("every event is a row of its own that says who did what to what, and nothing that was said")
    func audit() throws {
        let all = try rows(AuditLog.self, [.stopRequested(.init(reason: "a secret reason")), .stopped(.init())])
        #expect(all.keys.sorted() == ["1", "2"])
        #expect(all["1"]?.action == "instance.stop-requested" && all["1"]?.resource == "instance-\(instance)")
        // Neither an erased payload nor one that nobody can read keeps it from telling who did it.
        var story = Story()
        try story.write(StreamName(category: "instance", id: instance), "instance.running", nil)
        try story.write(StreamName(category: "instance", id: instance), "instance.running", Array("{}".utf8))
        #expect(try story.rows(of: AuditLog.self).keys.sorted() == ["1", "2"])
        #expect(!String(decoding: try JSON.encode(all["1"]), as: UTF8.self).contains("secret"))
    }
}
