import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("Pages of the log in Postgres")
struct PageTests {
    /// 900 events: 3 organizations and none, 4 categories, 30 streams, 5 types, 2 actors.
    private func fill(_ log: PostgresLog) async throws {
        for number in 0..<90 {
            let category = ["a", "b", "c", "d"][number % 4]
            let name = "\(category)-\(number % 30)"
            let events = (0..<10).map { event("\(category).kind-\(($0 + number) % 5)", #"{"n":\#(number)}"#) }
            _ = try await log.append(
                AppendRequest(
                    causation: Causation(
                        actor: number.isMultiple(of: 2) ? "user-1" : #"o'brien \ "x""#,
                        command: IDSource.system.unique(),
                        cause: number.isMultiple(of: 3) ? IDSource.system.unique() : nil
                    ),
                    writes: [
                        StreamWrite(
                            stream(name),
                            organization: OrganizationID(Int64(number % 30 % 4)),
                            expecting: .any,
                            events: events
                        )
                    ]
                )
            )
        }
    }

    @Test("hold the same events however they are read")
    func ways() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let log = running.log
                try await fill(log)
                let whole = try await log.read(after: 0, through: nil, matching: .everything, limit: 5000).events
                #expect(whole.map(\.position) == Array(1...900))
                var short: [RecordedEvent] = []
                while short.count < 900 {
                    short += try await log.read(
                        after: Int64(short.count),
                        through: nil,
                        matching: .everything,
                        limit: 7
                    ).events
                }
                #expect(short == whole)
                #expect(try await log.stored(after: 0, limit: 5000).map(\.event) == whole)
                let streams = Set(whole.map(\.stream))
                #expect(streams.count == 60)
                for stream in streams {
                    let alone = try await log.read(stream, after: 0, limit: 100)
                    #expect(alone == whole.filter { $0.stream == stream })
                }
            }
        }
    }

    @Test("hold no more than 16 MiB of payload and the event that passes it, small ones too", arguments: [20, 5000])
    func bytes(limit: Int) async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let text = #"""# + String(repeating: "x", count: 1_000_000) + #"""#
                for _ in 1...20 {
                    let write = StreamWrite(stream("a-1"), expecting: .any, events: [event("thing.happened", text)])
                    _ = try await running.log.append(request([write]))
                }
                for filter in [EventFilter.everything, EventFilter(categories: ["a"]), EventFilter(categories: ["b"])] {
                    var position: Int64 = 0
                    var ends: [Int64] = []
                    while position < 20 {
                        let page = try await running.log.read(
                            after: position,
                            through: nil,
                            matching: filter,
                            limit: limit
                        )
                        #expect(page.events.count <= 17)
                        if filter.categories != ["b"] { #expect(page.events.count == Int(page.scannedTo - position)) }
                        position = page.scannedTo
                        ends.append(position)
                    }
                    if filter.categories != ["b"] { #expect(ends == [17, 20]) }
                }
            }
        }
    }

    @Test("let a filter through what it says, whatever the size of the page", arguments: [3, 40, 5000])
    func filters(limit: Int) async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let log = running.log
                try await fill(log)
                let whole = try await log.read(after: 0, through: nil, matching: .everything, limit: 5000).events
                let (early, late) = (whole[250].recordedAt, whole[700].recordedAt)
                let filters = [
                    EventFilter(), EventFilter(categories: ["a", "c"]), EventFilter(types: ["a.kind-1", "d.kind-0"]),
                    EventFilter(organization: OrganizationID(2)), EventFilter(organization: OrganizationID(77)),
                    EventFilter(stream: whole[3].stream), EventFilter(stream: stream("nobody-1")),
                    EventFilter(actor: #"o'brien \ "x""#), EventFilter(actor: "'"), EventFilter(types: ["'; --"]),
                    EventFilter(from: early), EventFilter(to: late), EventFilter(from: early, to: late),
                    EventFilter(from: late + .seconds(60)), EventFilter(to: whole[0].recordedAt),
                    EventFilter(from: Timestamp(microseconds: 0), to: whole[899].recordedAt + .seconds(60)),
                    EventFilter(categories: ["b"], organization: OrganizationID(1), actor: "user-1", from: early),
                    EventFilter(categories: ["b"], types: ["b.kind-2"], organization: OrganizationID(1), to: late),
                    EventFilter(types: ["c.kind-2"], stream: whole[23].stream), EventFilter(categories: []),
                ]
                for filter in filters {
                    for (after, through) in [(0, nil), (333, 890)] as [(Int64, Int64?)] {
                        var found: [RecordedEvent] = []
                        var position = after
                        while true {
                            let page = try await log.read(
                                after: position,
                                through: through,
                                matching: filter,
                                limit: limit
                            )
                            #expect(page.scannedFrom == position + 1)
                            #expect(page.events.count <= limit)
                            guard page.scannedTo > position else { break }
                            #expect(page.events.allSatisfy { position < $0.position && $0.position <= page.scannedTo })
                            found += page.events
                            position = page.scannedTo
                        }
                        #expect(position == through ?? 900)
                        let expected = whole.filter {
                            $0.position > after && $0.position <= through ?? 900 && filter.matches($0)
                        }
                        #expect(found.map(\.position) == expected.map(\.position), "\(filter)")
                        #expect((found == expected) as Bool)
                    }
                }
            }
        }
    }

    @Test("are cut short where events are big")
    func big() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let payload = #"{"a":"\#(String(repeating: "x", count: 900_000))"}"#
                for number in 0..<300 {
                    let body = number < 22 ? payload : "{}"
                    _ = try await running.log.append(
                        request([StreamWrite(stream("a-1"), expecting: .any, events: [event("a.b", body)])])
                    )
                }
                var position: Int64 = 0
                var pages: [Int] = []
                while position < 300 {
                    let page = try await running.log.read(
                        after: position,
                        through: nil,
                        matching: .everything,
                        limit: 1000
                    )
                    pages.append(page.events.count)
                    position = page.scannedTo
                }
                #expect(pages == [19, 281])
                let rows = try await running.log.stored(after: 0, limit: 1000)
                #expect(rows.count == 19)
                #expect(rows.allSatisfy { $0.leaf == $0.recomputedLeaf })
            }
        }
    }

    @Test("tell where the log was at a time")
    func times() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let log = running.log
                #expect(try await log.position(at: IDSource.system.now()) == 0)
                for number in 0..<40 { _ = try await log.append(request("a-\(number)", .none, events: 1 + number % 3)) }
                let events = try await log.read(after: 0, through: nil, matching: .everything, limit: 500).events
                for event in events {
                    let last = events.last { $0.recordedAt <= event.recordedAt }
                    #expect(try await log.position(at: event.recordedAt) == last?.position)
                }
                let first = try #require(events.first)
                #expect(try await log.position(at: Timestamp(microseconds: first.recordedAt.microseconds - 1)) == 0)
                #expect(try await log.position(at: first.recordedAt + .seconds(9999)) == Int64(events.count))
            }
        }
    }

    @Test("come with the columns that prove them")
    func stored() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                try await fill(running.log)
                let rows = try await running.log.stored(after: 100, through: 500, limit: 300)
                #expect(rows.map(\.event.position) == Array(101...400))
                for row in rows {
                    #expect(row.leaf == row.recomputedLeaf)
                    #expect(Leaf.payloadHash(salt: row.salt ?? [], payload: row.event.payload ?? []) == row.payloadHash)
                    #expect(try await running.log.leaf(at: row.event.position) == row.leaf)
                }
                #expect(try await running.log.leaf(at: 901) == nil)
                #expect(try await running.log.stored(after: 900, limit: 10).isEmpty)
            }
        }
    }
}
