import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("A follower of the log")
struct LogFollowerTests {
    @Test("waits until something is written, and moves over what it does not want", arguments: LogKind.allCases)
    func waits(kind: LogKind) async throws {
        try await kind.with { log, _ in
            let follower = LogFollower(log: log, bell: Bell())
            async let page = follower.next(after: 0, matching: EventFilter(categories: ["b"]))
            _ = try await log.append(request("a-1", .none))
            let found = try await page
            #expect(found.events.isEmpty)
            #expect(found.scannedTo == 1)
        }
    }

    @Test("ends without events when its task is cancelled")
    func cancelled() async throws {
        let follower = LogFollower(log: MemoryLog(), bell: Bell())
        let page = try await withThrowingTaskGroup(of: EventPage.self) { group in
            group.addTask { try await follower.next(after: 0) }
            group.cancelAll()
            return try await group.next()
        }
        #expect(page?.scannedTo == 0)
    }

    @Test("hears of what another process wrote")
    func hears() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { here in
                try await withLog(in: database) { there in
                    // It rings once when it begins to listen, and may ring before we look: so look for more than one.
                    try await eventually { here.log.bell.count > 0 }
                    let (heard, heardWork) = (here.log.bell.count, here.log.workBell.count)
                    _ = try await there.log.append(request("a-1", .none))
                    try await eventually { here.log.bell.count > heard }
                    _ = try await there.log.append(request(work: [work("a-1")]))
                    try await eventually { here.log.workBell.count > heardWork }
                }
            }
        }
    }
}
