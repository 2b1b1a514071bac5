import EventStore
import Glibc
import Kernel
import Synchronization
import Testing

@Suite("Two append connections that are lost")
struct LostTurnsTests {
    /// Keeps whoever sends first from hearing the answer until its task is told that another connection was lost.
    private final class Deafness: Sendable {
        private let isTaken = Atomic(false)

        func probe(_ step: LogStep) {
            guard step == .sent, !isTaken.exchange(true, ordering: .acquiringAndReleasing) else { return }
            let deadline = ContinuousClock.now + .seconds(20)
            while !Task.isCancelled, ContinuousClock.now < deadline { sched_yield() }
        }
    }

    @Test("what was lost is sent again in the order in which it was taken", arguments: Durability.allCases)
    func order(durability: Durability) async throws {
        let deafness = Deafness()
        try await withHeldLock(durability, probe: { deafness.probe($0) }) { log, sessions, release in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let second = request("a-0", .version(1))
                group.addTask { _ = try await log.append(request("a-0", .none)) }
                _ = try await sessions.waiting(1)
                // Behind it, and good only after it.
                group.addImmediateTask { _ = try await log.append(second) }
                for number in 1...63 { group.addTask { _ = try await log.append(request("a-\(number)", .none)) } }
                // The first hears of nothing before the second is known to be lost.
                let lost = try await sessions.waiting(2)
                try await sessions.terminate(lost)
                try await sessions.gone(lost)
                try await release()
                try await group.waitForAll()
            }
            let events = try await log.read(stream("a-0"), after: 0, limit: 10)
            #expect(events.map(\.version) == [1, 2])
            #expect(try await log.frontier() == 65)
        }
    }

    @Test("who was sent over the other connection hears nothing of a loss", arguments: Durability.allCases)
    func neighbour(durability: Durability) async throws {
        try await withHeldLock(durability) { log, sessions, release in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await log.append(request("a-0", .none)) }
                let first = try await sessions.waiting(1)
                for number in 1...64 { group.addTask { _ = try await log.append(request("a-\(number)", .none)) } }
                let both = try await sessions.waiting(2)
                try await sessions.terminate(first)
                // The second is given up as soon as the loss is known.
                try await sessions.gone(both)
                try await release()
                try await group.waitForAll()
            }
            #expect(try await log.frontier() == 65)
        }
    }

    @Test("when the barrier is lost both are sent again", arguments: Durability.allCases)
    func barrier(durability: Durability) async throws {
        try await withHeldLock(durability) { log, sessions, release in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await log.append(request("a-0", .none)) }
                _ = try await sessions.waiting(1)
                for number in 1...64 { group.addTask { _ = try await log.append(request("a-\(number)", .none)) } }
                let appenders = try await sessions.waiting(2)
                let barrier = try await sessions.all().filter { !appenders.contains($0) }
                try await sessions.terminate(barrier)
                try await sessions.gone(barrier)
                try await release()
                try await group.waitForAll()
            }
            #expect(try await log.frontier() == 65)
        }
    }

    @Test("what is in flight over both is written before the log ends", arguments: Durability.allCases)
    func closing(durability: Durability) async throws {
        try await withHeldLock(durability) { log, sessions, release in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await log.append(request("a-0", .none)) }
                _ = try await sessions.waiting(1)
                for number in 1...64 { group.addTask { _ = try await log.append(request("a-\(number)", .none)) } }
                _ = try await sessions.waiting(2)
                log.close()
                try await release()
                try await group.waitForAll()
            }
            #expect(try await log.frontier() == 65)
        }
    }
}
