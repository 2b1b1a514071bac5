import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("Any board of leased work")
struct WorkBoardTests {
    @Test("shows who holds what, the newest first, page by page", arguments: LogKind.allCases)
    func pages(kind: LogKind) async throws {
        try await kind.with { log, queue in
            _ = try await log.append(request(work: [work("job-1", wakeAt: nil)]))
            _ = try await log.append(request(work: [work("job-2", lane: "l")]))
            _ = try await log.append(request(work: [work("job-3", wakeAt: nil)]))
            let item = try #require(
                try await queue.claim(kinds: ["chore"], owner: "me", limit: 1, lease: .seconds(60)).first
            )
            let first = try await queue.rows(WorkFilter(), after: nil, limit: 2)
            #expect(first.rows.map(\.item.stream) == [stream("job-3"), stream("job-2")])
            let held = try #require(first.rows.last)
            #expect(held.owner == "me" && held.leaseUntil != nil && held.item.fence == item.fence)
            #expect(held.priority == 1 && held.item.lane == "l")
            let next = try #require(first.next)
            let second = try await queue.rows(WorkFilter(), after: next, limit: 2)
            #expect(second.rows.map(\.item.stream) == [stream("job-1")] && second.next == nil)
            #expect(second.rows.first?.owner == nil && second.rows.first?.wakeAt == nil)
            #expect(try await queue.rows(WorkFilter(), after: "never given", limit: 2).rows.isEmpty)
        }
    }

    @Test("filters by everything that operators ask for", arguments: LogKind.allCases)
    func filters(kind: LogKind) async throws {
        try await kind.with { log, queue in
            let late = Timestamp(microseconds: 1_000_000)
            var parked = work("job-1", status: "parked", wakeAt: nil)
            parked.target = "nomad"
            var overdue = work("chore-2", lane: "l", wakeAt: nil)
            overdue.deadline = late
            var done = work("chore-3", status: "completed", wakeAt: nil)
            done.deadline = late
            for one in [parked, overdue, done, work("job-4", wakeAt: nil)] {
                _ = try await log.append(request(work: [one]))
            }
            func names(_ filter: WorkFilter) async throws -> [String] {
                try await queue.rows(filter, after: nil, limit: 10).rows.map(\.item.stream.text)
            }
            let now = IDSource.system.now()
            #expect(try await names(WorkFilter(category: "chore")) == ["chore-3", "chore-2"])
            #expect(try await names(WorkFilter(streams: [stream("job-4")])) == ["job-4"])
            #expect(try await names(WorkFilter(kinds: ["other"])) == [])
            #expect(try await names(WorkFilter(statuses: ["parked", "completed"])) == ["chore-3", "job-1"])
            #expect(try await names(WorkFilter(target: "nomad")) == ["job-1"])
            #expect(try await names(WorkFilter(lane: "l")) == ["chore-2"])
            #expect(try await names(WorkFilter(stuckAt: now)) == ["chore-2", "job-1"])
        }
    }
}
