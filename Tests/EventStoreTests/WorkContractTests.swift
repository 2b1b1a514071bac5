import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("Any queue of leased work")
struct WorkContractTests {
    private static let long = Duration.seconds(60)

    private func claim(_ queue: any WorkQueue, lease: Duration = long) async throws -> [WorkItem] {
        try await queue.claim(kinds: ["chore"], owner: "me", limit: 10, lease: lease)
    }

    @Test("gives due work to one at a time, and of the kinds asked for", arguments: LogKind.allCases)
    func oneAtATime(kind: LogKind) async throws {
        try await kind.with { log, queue in
            _ = try await log.append(request(work: [work("job-1"), work("job-2", wakeAt: nil)]))
            #expect(try await queue.claim(kinds: ["other"], owner: "me", limit: 10, lease: Self.long).isEmpty)
            let items = try await claim(queue)
            #expect(items.map(\.stream) == [stream("job-1")])
            #expect(items.map(\.fence) == [1])
            #expect(items.map(\.status) == ["running"])
            #expect(try await claim(queue).isEmpty)
        }
    }

    @Test("raises the fence whenever work changes hands", arguments: LogKind.allCases)
    func fence(kind: LogKind) async throws {
        try await kind.with { log, queue in
            _ = try await log.append(request(work: [work("job-1")]))
            let first = try #require(try await claim(queue).first)
            try await queue.release(first)
            let second = try #require(try await claim(queue).first)
            #expect(second.fence == first.fence + 1)
            try await queue.release(first)
            #expect(try await claim(queue).isEmpty)
            #expect(try await queue.renew(first, lease: Self.long) == false)
            #expect(try await queue.renew(second, lease: Self.long))
        }
    }

    @Test("takes over work whose lease ran out, and fences its holder", arguments: LogKind.allCases)
    func takeover(kind: LogKind) async throws {
        try await kind.with { log, queue in
            _ = try await log.append(request(work: [work("job-1")]))
            let zombie = try #require(try await claim(queue, lease: .milliseconds(1)).first)
            var heirs: [WorkItem] = []
            try await eventually {
                heirs = try await claim(queue)
                return !heirs.isEmpty
            }
            let write = StreamWrite(stream("job-1"), expecting: .any, events: [event()])
            await #expect(throws: AppendError.fenced) {
                try await log.append(
                    request(
                        [write],
                        work: [work("job-1", .holding(fence: zombie.fence), status: "running", wakeAt: nil)]
                    )
                )
            }
            #expect(try await log.frontier() == 0)
            let heir = try #require(heirs.first)
            _ = try await log.append(
                request([write], work: [work("job-1", .holding(fence: heir.fence), status: "running", wakeAt: nil)])
            )
            #expect(try await log.frontier() == 1)
        }
    }

    @Test("keeps the lease while work goes on, and gives it back with a moment to wake at", arguments: LogKind.allCases)
    func givingBack(kind: LogKind) async throws {
        try await kind.with { log, queue in
            _ = try await log.append(request(work: [work("job-1")]))
            let item = try #require(try await claim(queue).first)
            let holding = WorkUpdate.Guard.holding(fence: item.fence)
            _ = try await log.append(
                request(work: [work("job-1", holding, status: "running", step: "two", wakeAt: nil)])
            )
            #expect(try await claim(queue).isEmpty)
            _ = try await log.append(request(work: [work("job-1", holding, status: "waiting", step: "three")]))
            await #expect(throws: AppendError.fenced) {
                try await log.append(request(work: [work("job-1", holding, status: "waiting")]))
            }
            let next = try #require(try await claim(queue).first)
            #expect(next.status == "waiting")
            #expect(next.step == "three")
            #expect(next.fence == item.fence + 1)
        }
    }

    @Test("does not lose a wake-up that came while the work was held", arguments: LogKind.allCases)
    func nudged(kind: LogKind) async throws {
        try await kind.with { log, queue in
            _ = try await log.append(request(work: [work("job-1")]))
            let item = try #require(try await claim(queue).first)
            _ = try await log.append(request(work: [work("job-1", .wake)]))
            #expect(try await claim(queue).isEmpty)
            _ = try await log.append(
                request(work: [work("job-1", .holding(fence: item.fence), status: "waiting", wakeAt: nil)])
            )
            #expect(try await claim(queue).count == 1)
        }
    }

    @Test("wakes what sleeps, but nothing that has ended", arguments: LogKind.allCases)
    func waking(kind: LogKind) async throws {
        try await kind.with { log, queue in
            _ = try await log.append(request(work: [work("job-1", wakeAt: nil), work("job-2")]))
            let second = try #require(try await claim(queue).first)
            _ = try await log.append(
                request(work: [work("job-2", .holding(fence: second.fence), status: "completed", wakeAt: nil)])
            )
            _ = try await log.append(request(work: [work("job-1", .wake), work("job-2", .wake)]))
            #expect(try await claim(queue).map(\.stream) == [stream("job-1")])
        }
    }

    @Test("lets one of a lane be active, and the next follow when it has ended", arguments: LogKind.allCases)
    func lanes(kind: LogKind) async throws {
        try await kind.with { log, queue in
            for name in ["job-1", "job-2"] { _ = try await log.append(request(work: [work(name, lane: "l")])) }
            _ = try await log.append(request(work: [work("job-3", lane: "m")]))
            let taken = try await claim(queue)
            #expect(Set(taken.map(\.lane)) == ["l", "m"])
            #expect(taken.count == 2)
            #expect(try await claim(queue).isEmpty)
            let first = try #require(taken.first { $0.lane == "l" })
            _ = try await log.append(
                request(work: [work(first.stream.text, .holding(fence: first.fence), status: "completed", wakeAt: nil)])
            )
            let next = try await claim(queue)
            #expect(next.map(\.lane) == ["l"])
            #expect(next.first?.stream != first.stream)
        }
    }

    @Test("lets an operator seize work from its holder", arguments: LogKind.allCases)
    func seizing(kind: LogKind) async throws {
        try await kind.with { log, queue in
            _ = try await log.append(request(work: [work("job-1")]))
            let item = try #require(try await claim(queue).first)
            _ = try await log.append(request(work: [work("job-1", .seize, status: "parked", wakeAt: nil)]))
            #expect(try await queue.renew(item, lease: Self.long) == false)
            #expect(try await claim(queue).isEmpty)
            #expect(try await queue.list(kinds: ["chore"], statuses: ["parked"]).map(\.stream) == [stream("job-1")])
            #expect(try await queue.list(kinds: nil, statuses: ["running"]).isEmpty)
        }
    }

    @Test("leaves work that is there already as it is", arguments: LogKind.allCases)
    func creatingTwice(kind: LogKind) async throws {
        try await kind.with { log, queue in
            _ = try await log.append(request(work: [work("job-1")]))
            let item = try #require(try await claim(queue).first)
            _ = try await log.append(request(work: [work("job-1", step: "other")]))
            #expect(try await claim(queue).isEmpty)
            #expect(try await queue.renew(item, lease: Self.long))
        }
    }

    @Test(
        "looks at nothing that waits for a taken lane, and wakes all of it when the lane is free",
        arguments: LogKind.allCases
    )
    func freedLanes(kind: LogKind) async throws {
        try await kind.with { log, queue in
            let urgent = WorkUpdate(
                stream("job-9"),
                guard: .create,
                kind: "chore",
                lane: "l",
                priority: 0,
                status: "queued",
                wakeAt: WorkUpdate.atOnce
            )
            let atOnce = WorkUpdate.atOnce
            for name in ["job-1", "job-2"] {
                _ = try await log.append(request(work: [work(name, lane: "l", wakeAt: atOnce)]))
            }
            let first = try #require(try await claim(queue).first)
            _ = try await log.append(request(work: [work("job-3", lane: "l", wakeAt: atOnce), urgent]))
            // Whoever is asked to look at one of them does not: it is not its turn.
            _ = try await log.append(request(work: [work("job-3", .wake, lane: "l")]))
            #expect(try await claim(queue).isEmpty)
            let members = try await queue.members(ofLane: "l")
            #expect(members.map(\.stream.text) == ["job-1", "job-2", "job-3", "job-9"])
            #expect(members.map(\.status).filter { $0 == "queued" }.count == 3)
            var holder = first
            var order: [String] = []
            for _ in 0..<3 {
                _ = try await log.append(
                    request(
                        work: [
                            work(holder.stream.text, .holding(fence: holder.fence), status: "completed", wakeAt: nil)
                        ]
                    )
                )
                let next = try await claim(queue)
                #expect(next.count == 1)
                holder = try #require(next.first)
                order.append(holder.stream.text)
            }
            #expect(order.first == "job-9")
            #expect(Set(order).count == 3)
        }
    }

    @Test("is given back for a while, unless somebody asked for it meanwhile", arguments: LogKind.allCases)
    func givenBackForAWhile(kind: LogKind) async throws {
        try await kind.with { log, queue in
            _ = try await log.append(request(work: [work("job-1")]))
            let item = try #require(try await claim(queue).first)
            #expect(item.claimedAt != nil)
            try await queue.release(item, after: Self.long)
            #expect(try await claim(queue).isEmpty)
            #expect(try await queue.list(kinds: nil, statuses: ["waiting"]).count == 1)
            _ = try await log.append(request(work: [work("job-1", .wake, wakeAt: WorkUpdate.atOnce)]))
            let again = try #require(try await claim(queue).first)
            _ = try await log.append(request(work: [work("job-1", .wake, wakeAt: WorkUpdate.atOnce)]))
            try await queue.release(again, after: Self.long)
            #expect(try await claim(queue).count == 1)
        }
    }
}
