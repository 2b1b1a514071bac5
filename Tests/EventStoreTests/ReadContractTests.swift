import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("Any log, read")
struct ReadContractTests {
    @Test("is empty at first", arguments: LogKind.allCases)
    func empty(kind: LogKind) async throws {
        try await kind.with { log, _ in
            #expect(try await log.frontier() == 0)
            #expect(try await log.read(stream("a-1"), after: 0, limit: 10).isEmpty)
            let page = try await log.read(after: 0, through: nil, matching: .everything, limit: 10)
            #expect(page == EventPage(events: [], scannedFrom: 1, scannedTo: 0))
        }
    }

    @Test("gives a stream after a version, so many", arguments: LogKind.allCases)
    func streams(kind: LogKind) async throws {
        try await kind.with { log, _ in
            _ = try await log.append(request("a-1", .none, events: 4))
            _ = try await log.append(request("b-1", .none, events: 1))
            _ = try await log.append(request("a-1", .version(4), events: 2))
            #expect(try await log.read(stream("a-1"), after: 2, limit: 3).map(\.version) == [3, 4, 5])
            #expect(try await log.read(stream("a-1"), after: 5, limit: 3).map(\.position) == [7])
            #expect(try await log.read(stream("a-1"), after: 6, limit: 3).isEmpty)
        }
    }

    @Test("gives pages that join without a gap", arguments: LogKind.allCases)
    func pages(kind: LogKind) async throws {
        try await kind.with { log, _ in
            for number in 1...7 { _ = try await log.append(request("a-\(number)", .none)) }
            let first = try await log.read(after: 0, through: nil, matching: .everything, limit: 3)
            #expect(first.events.map(\.position) == [1, 2, 3])
            #expect(first.scannedTo == 3)
            let second = try await log.read(after: 3, through: 5, matching: .everything, limit: 3)
            #expect(second.events.map(\.position) == [4, 5])
            #expect(second.scannedFrom == 4)
            let third = try await log.read(after: 5, through: nil, matching: .everything, limit: 3)
            #expect(third.scannedTo == 7)
            let last = try await log.read(after: 7, through: nil, matching: .everything, limit: 3)
            #expect(last == EventPage(events: [], scannedFrom: 8, scannedTo: 7))
        }
    }

    @Test("lets a filter leave events out but no position", arguments: LogKind.allCases)
    func filters(kind: LogKind) async throws {
        try await kind.with { log, _ in
            let owner = OrganizationID(5)
            let causation = Causation(actor: "user-9", command: UniqueID(1))
            _ = try await log.append(request([StreamWrite(stream("a-1"), expecting: .any, events: [event("a.x")])]))
            _ = try await log.append(
                AppendRequest(
                    causation: causation,
                    writes: [StreamWrite(stream("b-1"), organization: owner, expecting: .any, events: [event("b.y")])]
                )
            )
            _ = try await log.append(request([StreamWrite(stream("a-2"), expecting: .any, events: [event("a.y")])]))
            let times = try await log.read(after: 0, through: nil, matching: .everything, limit: 9).events.map(
                \.recordedAt
            )
            let cases: [(EventFilter, [Int64])] = [
                (EventFilter(categories: ["a"]), [1, 3]), (EventFilter(types: ["a.x", "b.y"]), [1, 2]),
                (EventFilter(organization: owner), [2]), (EventFilter(stream: stream("a-2")), [3]),
                (EventFilter(actor: "user-9"), [2]), (EventFilter(categories: ["a"], actor: "user-9"), []),
                (EventFilter(types: []), []), (EventFilter(from: times[0], to: times[2] + .seconds(1)), [1, 2, 3]),
                (EventFilter(to: times[0]), []), (EventFilter(from: times[2] + .seconds(1)), []),
            ]
            for (filter, expected) in cases {
                let page = try await log.read(after: 0, through: nil, matching: filter, limit: 100)
                #expect(page.events.map(\.position) == expected, "\(filter)")
                #expect(page.scannedFrom == 1)
                #expect(page.scannedTo == 3)
            }
        }
    }

    @Test("keeps time in the order of positions", arguments: LogKind.allCases)
    func time(kind: LogKind) async throws {
        try await kind.with { log, _ in
            for number in 1...20 { _ = try await log.append(request("a-\(number)", .none)) }
            let times = try await log.read(after: 0, through: nil, matching: .everything, limit: 99).events.map(
                \.recordedAt
            )
            #expect(times == times.sorted())
        }
    }
}
