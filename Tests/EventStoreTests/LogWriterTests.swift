import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("The log writer")
struct LogWriterTests {
    @Test(
        "leaves no hole when two processes write and one follows: nothing skipped, nothing twice",
        arguments: Durability.allCases
    )
    func skipDetector(durability: Durability) async throws {
        let each = 300
        let writers = 8
        try await withDatabase { database in
            try await withLog(in: database, durability: durability) { first in
                try await withLog(in: database, durability: durability) { second in
                    let total = Int64(each * writers)
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for writer in 0..<writers {
                            let log = writer.isMultiple(of: 2) ? first.log : second.log
                            group.addTask {
                                for number in 1...each {
                                    // Every tenth is refused, and must not show.
                                    if number.isMultiple(of: 10) {
                                        _ = try? await log.append(request("w-\(writer)", .none))
                                    }
                                    _ = try await log.append(request("w-\(writer)", .version(Int64(number - 1))))
                                }
                            }
                        }
                        for log in [first.log, second.log] {
                            group.addTask {
                                let follower = LogFollower(log: log, bell: log.bell)
                                var seen: Int64 = 0
                                while seen < total {
                                    let page = try await follower.next(after: seen)
                                    for event in page.events {
                                        seen += 1
                                        #expect(event.position == seen)
                                    }
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                    let frontier = try await first.log.frontier()
                    #expect(frontier == total)
                }
            }
        }
    }

    @Test(
        "lets one of many win at one version, and tells the others by how far they missed",
        arguments: Durability.allCases
    )
    func race(durability: Durability) async throws {
        try await withDatabase { database in
            try await withLog(in: database, durability: durability) { running in
                let outcomes = await withTaskGroup(of: Result<Appended, AppendError>.self) { group in
                    for _ in 0..<20 {
                        group.addTask {
                            do throws(AppendError) {
                                return .success(try await running.log.append(request("a-1", .none)))
                            } catch {
                                return .failure(error)
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                let lost = Result<Appended, AppendError>.failure(
                    .conflict(stream: stream("a-1"), expected: .none, actual: 1)
                )
                #expect(outcomes.count { $0 == lost } == 19)
                let frontier = try await running.log.frontier()
                #expect(frontier == 1)
            }
        }
    }

    @Test("lets one of many win a name", arguments: Durability.allCases)
    func claimRace(durability: Durability) async throws {
        try await withDatabase { database in
            try await withLog(in: database, durability: durability) { first in
                try await withLog(in: database, durability: durability) { second in
                    let slug = Claim(kind: "slug", key: "acme")
                    let winners = await withTaskGroup(of: Bool.self) { group in
                        for number in 0..<20 {
                            let log = number.isMultiple(of: 2) ? first.log : second.log
                            group.addTask {
                                let name = stream("org-\(number)")
                                let wish = request(
                                    [StreamWrite(name, expecting: .none, events: [event()])],
                                    claims: [.take(slug, for: name)]
                                )
                                return (try? await log.append(wish)) != nil
                            }
                        }
                        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                    }
                    #expect(winners == 1)
                    let frontier = try await first.log.frontier()
                    #expect(frontier == 1)
                }
            }
        }
    }

    @Test("does not deadlock when many streams are written in any order", arguments: Durability.allCases)
    func noDeadlock(durability: Durability) async throws {
        try await withDatabase { database in
            try await withLog(in: database, durability: durability) { first in
                try await withLog(in: database, durability: durability) { second in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for number in 0..<60 {
                            let log = number.isMultiple(of: 2) ? first.log : second.log
                            let names = [0, 1, 2].map { "s-\((number * 7 + $0 * 5) % 9)" }
                            group.addTask {
                                _ = try await log.append(
                                    request(names.map { StreamWrite(stream($0), expecting: .any, events: [event()]) })
                                )
                            }
                        }
                        try await group.waitForAll()
                    }
                    let frontier = try await first.log.frontier()
                    #expect(frontier == 180)
                }
            }
        }
    }

    @Test("harms no neighbour of a request that cannot be stored", arguments: Durability.allCases)
    func guilty(durability: Durability) async throws {
        try await withDatabase { database in
            try await withLog(in: database, durability: durability) { running in
                let invalid = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            // NUL is text to us and not to Postgres: the whole statement fails.
                            let slug = Claim(kind: "slug", key: number == 17 ? "a\0b" : "a\(number)")
                            let name = stream("org-\(number)")
                            do throws(AppendError) {
                                _ = try await running.log.append(
                                    request(
                                        [StreamWrite(name, expecting: .none, events: [event()])],
                                        claims: [.take(slug, for: name)]
                                    )
                                )
                                return false
                            } catch {
                                guard case .invalid = error else { throw error }
                                return true
                            }
                        }
                    }
                    return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(invalid == 1)
                let frontier = try await running.log.frontier()
                #expect(frontier == 39)
            }
        }
    }

    @Test("writes exactly once although its backend is killed again and again", arguments: Durability.allCases)
    func killed(durability: Durability) async throws {
        let total = 400
        try await withDatabase { database in
            let admin = try await Connection.open(database.superuser)
            try await withLog(in: database, durability: durability) { running in
                let written = Bell()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for lane in 0..<4 {
                        group.addTask {
                            for number in 0..<(total / 4) {
                                let wish = request(
                                    [
                                        StreamWrite(
                                            stream("k-\(lane)"),
                                            expecting: .version(Int64(number)),
                                            events: [event()]
                                        )
                                    ],
                                    command: lane.isMultiple(of: 2) ? command() : nil
                                )
                                try await untilReachable { () throws(AppendError) in
                                    _ = try await running.log.append(wish)
                                }
                                written.ring()
                            }
                        }
                    }
                    group.addTask {
                        for round in 1...8 {
                            try await eventually { written.count >= round * total / 10 }
                            try await admin.run(
                                """
                                SELECT pg_terminate_backend(pid)
                                  FROM pg_stat_activity
                                 WHERE datname = current_database()
                                   AND application_name = 'signalbox-log'
                                """
                            )
                        }
                    }
                    try await group.waitForAll()
                }
                let frontier = try await running.log.frontier()
                #expect(frontier == Int64(total))
                for lane in 0..<4 {
                    let events = try await running.log.read(stream("k-\(lane)"), after: 0, limit: 1000)
                    #expect(Set(events.map(\.id)).count == total / 4)
                }
            }
            await admin.close()
        }
    }

    @Test("writes what it accepted before it ends, and refuses what comes later", arguments: Durability.allCases)
    func closing(durability: Durability) async throws {
        try await withDatabase { database in
            try await withLog(in: database, durability: durability) { running in
                async let one = running.log.append(request("a-1", .none))
                _ = try await one
                running.log.close()
                await #expect(throws: AppendError.unavailable) {
                    try await running.log.append(request("a-2", .none))
                }
            }
        }
    }
}

/// Tries again while the database is away, for at most ten seconds.
private func untilReachable(_ body: () async throws(AppendError) -> Void) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while true {
        do throws(AppendError) {
            return try await body()
        } catch {
            guard error == .unavailable, ContinuousClock.now < deadline else { throw error }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
