import Audit
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("The history of events")
struct EventHistoryTests {
    private let log = MemoryLog()
    private var history: EventHistory { EventHistory(log: log, bell: log.bell) }

    @Test("is given in pages that join")
    func pages() async throws {
        try await log.write(["a-1", "a-2", "a-3", "a-4", "a-5"])
        let first = try await history.list(after: 0, limit: 2)
        #expect(first.events.map(\.position) == [1, 2])
        #expect(first.scannedTo == 2)
        let second = try await history.list(after: first.scannedTo, limit: 10)
        #expect(second.events.map(\.position) == [3, 4, 5])
        #expect(second.scannedTo == 5)
        let third = try await history.list(after: 5, limit: 10)
        #expect(third == EventPage(events: [], scannedFrom: 6, scannedTo: 5))
    }

    @Test("looks as far as it must for what is rare")
    func sparse() async throws {
        try await log.write((1...2500).map { $0.isMultiple(of: 1000) ? "b-\($0)" : "a-\($0)" })
        let filter = EventFilter(categories: ["b"])
        let first = try await history.list(filter, after: 0, limit: 1)
        #expect(first.events.map(\.position) == [1000])
        #expect(first.scannedTo == 1000 || first.scannedTo == 2000)
        let rest = try await history.list(filter, after: 1000, limit: 9)
        #expect(rest.events.map(\.position) == [2000])
        #expect(rest.scannedTo == 2500)
    }

    @Test("skips nothing when a page is full before its end")
    func cutPages() async throws {
        try await log.write(["b-1", "a-1", "b-2", "b-3"])
        let filter = EventFilter(categories: ["b"])
        var seen: [Int64] = []
        var position: Int64 = 0
        while true {
            let page = try await history.list(filter, after: position, limit: 1)
            guard page.scannedTo > position else { break }
            seen += page.events.map(\.position)
            position = page.scannedTo
        }
        #expect(seen == [1, 3, 4])
    }

    @Test("finds a stream by its name, with the rest of the filter")
    func streams() async throws {
        try await log.write(["a-1", "a-2", "a-1", "a-1"])
        let filter = EventFilter(stream: StreamName("a-1"))
        let page = try await history.list(filter, after: 1, limit: 1)
        #expect(page.events.map(\.position) == [3])
        #expect(page.scannedTo == 3)
        #expect(try await history.list(filter, after: 3, limit: 5).events.map(\.position) == [4])
        var other = filter
        other.actor = "user-1"
        #expect(try await history.list(other, after: 0, limit: 5).events.isEmpty)
    }

    @Test("shows one event, and nothing where there is none")
    func single() async throws {
        try await log.write(["a-1", "a-2"])
        #expect(try await history.event(at: 2)?.stream == StreamName("a-2"))
        #expect(try await history.event(at: 3) == nil)
        #expect(try await history.event(at: 0) == nil)
        #expect(try await history.frontier() == 2)
    }

    @Test("waits for what comes, and no longer than it was told")
    func waits() async throws {
        async let coming = history.next(EventFilter(categories: ["b"]), after: 0, limit: 5, within: .seconds(30))
        try await log.write(["a-1", "b-1"])
        #expect(try await coming.events.map(\.position) == [2])
        let none = try await history.next(after: 2, limit: 5, within: .milliseconds(20))
        #expect(none == EventPage(events: [], scannedFrom: 3, scannedTo: 2))
    }

    @Test("recognises a reader of this history and none of another")
    func tokens() async throws {
        try await log.write(["a-1", "a-2"])
        let token = try await history.token(at: 2)
        #expect(token.leaf?.count == 16)
        #expect(try await history.standing(of: token) == .known)
        #expect(try await history.standing(of: try #require(ResumeToken(token.description))) == .known)
        let other = EventHistoryTests()
        try await other.log.write(["a-1", "a-2", "a-3"])
        #expect(try await other.history.standing(of: token) == .forked)
        // A log that lost its tail.
        #expect(try await history.standing(of: try await other.history.token(at: 3)) == .forked)
        #expect(try await history.standing(of: ResumeToken(position: 2, leaf: nil)) == .known)
        #expect(try await history.standing(of: ResumeToken(position: 3, leaf: nil)) == .beyond(end: 2))
        #expect(try await history.token(at: 0).description == "0")
    }
}
