import Commands
import Domain
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("Deciding with snapshots")
struct SnapshotEquivalenceTests {
    /// Decides on a random history, once with a snapshot of some of it and once without.
    private static func compare<Model: Decider>(
        _ model: Model.Type,
        seed: Int,
        _ draw: (inout Draws) throws -> Model.Event,
        _ commands: [Model.Command]
    ) async throws {
        var draws = Draws(seed: seed)
        let (before, after) = (Int.random(in: 1...1300, using: &draws), Int.random(in: 0...700, using: &draws))
        let history = try (0..<before + after).map { _ in try draw(&draws) }
        let (log, stream) = (MemoryLog(), StreamName(category: Model.Event.category, id: 1))
        let store = MemorySnapshots(log: log)

        try await log.write(Array(history.prefix(before)), to: stream)
        let writing = SnapshotKeeper(store: store)
        _ = try await Aggregates(log: log, snapshots: writing).load(model, from: stream)
        await writing.settle()
        let snapshot = try await store.snapshot(of: stream)
        #expect(snapshot?.version == (before > 500 ? Int64(before) : nil))

        try await log.write(Array(history.dropFirst(before)), to: stream, after: Int64(before))
        let reading = SnapshotKeeper(store: store)
        let with = try await Aggregates(log: log, snapshots: reading).load(model, from: stream)
        let without = try await Aggregates(log: log).load(model, from: stream)
        #expect(with.model == without.model)
        #expect(with.version == without.version)
        #expect(with.position == without.position)
        #expect(with.organization == without.organization)
        for command in commands {
            #expect(decided(with.model, command) == decided(without.model, command))
        }
    }

    private static func decided<Model: Decider>(
        _ model: Model,
        _ command: Model.Command
    ) -> Result<[Model.Event], Model.Refusal> {
        Result { () throws(Model.Refusal) in try model.decide(command) }
    }

    private static var users: [UserID] { (1...12).compactMap { UserID(Int64($0)) } }
    private static var keys: [KeyID] { (1...12).compactMap { KeyID(Int64($0)) } }

    @Test("an organization decides the same", arguments: 1...6)
    func organization(seed: Int) async throws {
        let commands: [Organization.Command] =
            Self.users.flatMap { [.addMember($0, .viewer), .changeRole($0, .viewer), .removeMember($0)] }
            + Self.keys.map { .revokeKey($0) } + [
                .rename("Acme 3"), .resume(reason: "paid"), .linkBillingCustomer("x"),
            ]
        try await Self.compare(Organization.self, seed: seed, Histories.organization, commands)
    }

    @Test("a person decides the same", arguments: 1...3)
    func user(seed: Int) async throws {
        let commands: [User.Command] = Self.keys.map { .revokeKey($0) } + [.erase(reason: "asked")]
        try await Self.compare(User.self, seed: seed, Histories.user, commands)
    }

    @Test("the keys of the platform decide the same", arguments: 1...3)
    func platform(seed: Int) async throws {
        let commands: [PlatformKeys.Command] = Self.keys.map { .revoke($0) }
        try await Self.compare(PlatformKeys.self, seed: seed, Histories.platform, commands)
    }

    @Test("releases decide the same", arguments: 1...3)
    func release(seed: Int) async throws {
        let commands: [Release.Command] = (1...12).flatMap { number in
            [
                .register(Samples.release("v\(number)")), .setDefault(version: "v\(number)"),
                .changeStatus(version: "v\(number)", .eol),
            ]
        }
        try await Self.compare(Release.self, seed: seed, Histories.release, commands)
    }

    @Test("an instance decides the same", arguments: 1...6)
    func instance(seed: Int) async throws {
        let commands: [Instance.Command] =
            [.retry] + (1...12).map { .markRunning(.init(generation: $0, launchURL: "https://a.example")) }
        try await Self.compare(Instance.self, seed: seed, Histories.instance, commands)
    }

    @Test("a subscription decides the same", arguments: 1...3)
    func subscription(seed: Int) async throws {
        let commands: [Subscription.Command] =
            [.recordPaused, .recordResumed, .recordCancelled, .recordEnded, .abandon(reason: "x")]
            + (1...3).map { .recordDraft(billingID: "d", generation: $0) }
        try await Self.compare(Subscription.self, seed: seed, Histories.subscription, commands)
    }

    @Test("a long stream in Postgres is read from its snapshot on")
    func postgres() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                var draws = Draws(seed: 1)
                let events = try (0..<1203).map { _ in try Histories.organization(&draws) }
                let stream = StreamName(category: OrganizationEvent.category, id: 1)
                try await running.log.write(Array(events.prefix(1200)), to: stream)
                let store = PostgresSnapshots(pool: running.pool)
                let writing = SnapshotKeeper(store: store)
                _ = try await Aggregates(log: running.log, snapshots: writing).load(Organization.self, from: stream)
                await writing.settle()
                try await running.log.write(Array(events.suffix(3)), to: stream, after: 1200)

                let counting = CountingLog(running.log)
                let reading = SnapshotKeeper(store: store)
                let with = try await Aggregates(log: counting, snapshots: reading)
                    .load(Organization.self, from: stream)
                // The first page says that the stream is long.
                #expect(counting.reads() == 500 + 3)
                let without = try await Aggregates(log: running.log).load(Organization.self, from: stream)
                #expect(with.model == without.model)
                #expect(with.version == 1203 && with.position == without.position)
            }
        }
    }
}

@Suite("Memory of write models")
struct AggregateMemoryTests {
    private static func stream(_ id: Int64) -> StreamName { StreamName(category: ReleaseEvent.category, id: id) }

    private static func registered(_ versions: ClosedRange<Int>) -> [ReleaseEvent] {
        versions.map { .registered(Samples.release("v\($0)")) }
    }

    @Test("only what is new is read again")
    func onlyNew() async throws {
        let log = CountingLog(MemoryLog())
        let aggregates = Aggregates(log: log)
        try await log.write(Self.registered(1...3), to: Self.stream(1))
        #expect(try await aggregates.load(Release.self, from: Self.stream(1)).model.versions.count == 3)
        #expect(log.reads() == 3)
        try await log.write(Self.registered(4...5), to: Self.stream(1), after: 3)
        let again = try await aggregates.load(Release.self, from: Self.stream(1))
        #expect(again.model.versions.count == 5 && again.version == 5)
        #expect(log.reads() == 2)
    }

    @Test("it holds so many and forgets those that were used longest ago")
    func bounded() async throws {
        let log = CountingLog(MemoryLog())
        let aggregates = Aggregates(log: log, capacity: 4)
        for id in 1...5 as ClosedRange<Int64> {
            try await log.write(Self.registered(1...1), to: Self.stream(id))
            _ = try await aggregates.load(Release.self, from: Self.stream(id))
        }
        #expect(log.reads() == 5)
        _ = try await aggregates.load(Release.self, from: Self.stream(5))
        #expect(log.reads() == 0)
        _ = try await aggregates.load(Release.self, from: Self.stream(1))
        #expect(log.reads() == 1)
    }
}
