import Audit
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("The whole history")
struct EventPagesTests {
    private let log = MemoryLog()
    private var history: EventHistory { EventHistory(log: log, bell: log.bell) }

    private func all(_ filter: EventFilter, after: Int64 = 0, through end: Int64) async throws -> [Int64] {
        var place = EventHistory.Place(after: after)
        var positions: [Int64] = []
        while let events = try await history.page(filter, from: &place, through: end) {
            positions += events.map(\.position)
        }
        return positions
    }

    @Test("is everything that is wanted, once and in order, however many pages it takes")
    func pages() async throws {
        try await log.write((1...4500).map { $0.isMultiple(of: 3) ? "b-1" : "a-\($0 % 5)" })
        let end = try await history.frontier()
        #expect(try await all(.everything, through: end) == Array(1...4500))
        #expect(try await all(.everything, after: 4498, through: end) == [4499, 4500])
        #expect(try await all(.everything, after: 10, through: 12) == [11, 12])
        let threes = Array(stride(from: Int64(3), through: 4500, by: 3))
        #expect(try await all(EventFilter(categories: ["b"]), through: end) == threes)
        #expect(try await all(EventFilter(stream: StreamName("b-1")), through: end) == threes)
        let some = try await all(EventFilter(stream: StreamName("b-1")), after: 3, through: 9)
        #expect(some == [6, 9])
        #expect(try await all(EventFilter(stream: StreamName("c-1")), through: end).isEmpty)
        #expect(try await all(.everything, after: end, through: end).isEmpty)
    }

    @Test("of a stream ends at the moment that is asked for, and at the frontier")
    func reader() async throws {
        try await log.write((1...1200).map { _ in "a-1" })
        let stream = try #require(StreamName("a-1"))
        func versions(_ moment: Moment, frontier: Int64 = .max) async throws -> Int64 {
            var reader = StreamReader(log: log, stream: stream, through: moment, frontier: frontier)
            var last: Int64 = 0
            while let page = try await reader.next() {
                #expect(page.first?.version == last + 1)
                last = page.last?.version ?? last
            }
            return last
        }
        for version in [Int64(0), 1, 499, 500, 501, 1000, 1200] {
            #expect(try await versions(.version(version)) == version)
            #expect(try await versions(.now, frontier: version) == version)
        }
        #expect(try await versions(.now) == 1200)
        #expect(try await versions(.position(700)) == 700)
        #expect(try await versions(.time(Timestamp(microseconds: 0))) == 0)
        #expect(try await versions(.time(try #require(log.events.last).recordedAt)) == 1200)
    }
}
