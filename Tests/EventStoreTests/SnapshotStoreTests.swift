import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("Snapshots")
struct SnapshotStoreTests {
    /// Where snapshots are kept.
    enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
        case memory, postgres

        var testDescription: String { rawValue }
    }

    /// Both stores, over a log whose stream `a-1` has three events.
    private static func withStore(
        _ kind: StoreKind,
        _ body: (any EventLog, any SnapshotStore, any Eraser) async throws -> Void
    ) async throws {
        switch kind {
        case .memory:
            let log = MemoryLog()
            _ = try await log.append(request("a-1", .none, events: 3))
            let eraser = MemoryEraser(log: log, subjects: MemorySubjectKeys())
            try await body(log, MemorySnapshots(log: log), eraser)
        case .postgres:
            try await withDatabase { database in
                try await withLog(in: database) { running in
                    _ = try await running.log.append(request("a-1", .none, events: 3))
                    let store = PostgresSnapshots(pool: running.pool)
                    try await body(running.log, store, PostgresEraser(pool: running.pool))
                }
            }
        }
    }

    private static func snapshot(_ version: Int64, _ schema: Int16 = 1, _ state: String = "{}") -> Snapshot {
        Snapshot(version: version, schemaVersion: schema, state: Array(state.utf8))
    }

    private let a = stream("a-1")

    @Test("the newest is kept, and of two of one version the one in the newer form", arguments: StoreKind.allCases)
    func newest(kind: StoreKind) async throws {
        try await Self.withStore(kind) { _, store, _ in
            #expect(try await store.snapshot(of: a) == nil)
            for (offered, expected) in [
                (Self.snapshot(2), Self.snapshot(2)), (Self.snapshot(1, 2), Self.snapshot(2)),
                (Self.snapshot(2, 2), Self.snapshot(2, 2)), (Self.snapshot(2, 1), Self.snapshot(2, 2)),
                (Self.snapshot(3, 1), Self.snapshot(3, 1)),
            ] {
                let isKept = try await store.keep(offered, of: a)
                #expect(isKept == (offered == expected))
                #expect(try await store.snapshot(of: a) == expected)
            }
            #expect(try await store.snapshot(of: stream("b-1")) == nil)
        }
    }

    @Test("what is ahead of its stream is not kept", arguments: StoreKind.allCases)
    func ahead(kind: StoreKind) async throws {
        try await Self.withStore(kind) { log, store, _ in
            let isKept = try await store.keep(Self.snapshot(4), of: a)
            #expect(!isKept)
            #expect(try await store.snapshot(of: a) == nil)
            #expect(try await !store.keep(Self.snapshot(1), of: stream("b-1")))
            #expect(try await store.snapshot(of: stream("b-1")) == nil)
        }
    }

    @Test("what is wrong is thrown away, and not what has taken its place", arguments: StoreKind.allCases)
    func discarded(kind: StoreKind) async throws {
        try await Self.withStore(kind) { _, store, _ in
            try await store.keep(Self.snapshot(2), of: a)
            try await store.discard(Self.snapshot(1), of: a)
            #expect(try await store.snapshot(of: a) == Self.snapshot(2))
            try await store.discard(Self.snapshot(2), of: a)
            #expect(try await store.snapshot(of: a) == nil)
        }
    }

    @Test("a stream of which a payload was erased has no snapshot any more", arguments: StoreKind.allCases)
    func erased(kind: StoreKind) async throws {
        try await Self.withStore(kind) { _, store, eraser in
            try await store.keep(Self.snapshot(3), of: a)
            let record = StreamWrite(stream("erasure-2"), expecting: .none, events: [event("erasure.done")])
            _ = try await eraser.erase(Erasure(positions: [2]), recording: request([record]))
            #expect(try await store.snapshot(of: a) == nil)
            // Somebody had folded the stream before.
            #expect(try await !store.keep(Self.snapshot(3), of: a))
            #expect(try await store.snapshot(of: a) == nil)
        }
    }

    @Test("after a restore, a snapshot of what is lost is not used, and gives way")
    func restored() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                _ = try await running.log.append(request("a-1", .none, events: 3))
                let store = PostgresSnapshots(pool: running.pool)
                let owner = try await Connection.open(database.owner)
                try await owner.run(
                    "INSERT INTO log.snapshot SELECT stream_id, 9, 1, '' FROM log.stream WHERE name = 'a-1'"
                )
                await owner.close()
                #expect(try await store.snapshot(of: a) == nil)
                try await store.keep(Self.snapshot(2), of: a)
                #expect(try await store.snapshot(of: a) == Self.snapshot(2))
            }
        }
    }
}

@Suite("Snapshot keeper")
struct SnapshotKeeperTests {
    private struct Sum: Snapshotable, Equatable {
        static let stateVersion: Int16 = 2
        var total: Int
    }

    private let a = stream("a-1")

    /// A keeper over a stream of `events` events.
    private func withKeeper(
        events: Int,
        _ body: (SnapshotKeeper, MemorySnapshots) async throws -> Void
    ) async throws {
        let log = MemoryLog()
        _ = try await log.append(request("a-1", .none, events: events))
        let store = MemorySnapshots(log: log)
        try await body(SnapshotKeeper(store: store), store)
    }

    /// Ends the keeper when everything offered is kept.
    private func settle(_ keeper: SnapshotKeeper) async {
        keeper.close()
        await keeper.run()
    }

    @Test("a state is kept when more than 500 events are new", arguments: [(500, 0), (501, 0), (900, 400), (901, 400)])
    func interval(version: Int, kept: Int) async throws {
        try await withKeeper(events: version) { keeper, _ in
            let isDue = version - kept > 500
            let now = keeper.offer(Sum(total: 7), of: a, at: Int64(version), after: Int64(kept))
            #expect(now == Int64(isDue ? version : kept))
            await settle(keeper)
            let latest = await keeper.latest(Sum.self, of: a)
            #expect(latest?.state == (isDue ? Sum(total: 7) : nil))
            #expect(latest?.version == (isDue ? Int64(version) : nil))
        }
    }

    @Test("a state in another form is not looked at")
    func otherForm() async throws {
        try await withKeeper(events: 3) { keeper, store in
            let other = Snapshot(version: 3, schemaVersion: 1, state: Array(#"{"total":7}"#.utf8))
            try await store.keep(other, of: a)
            #expect(await keeper.latest(Sum.self, of: a) == nil)
            #expect(try await store.snapshot(of: a) == other)
        }
    }

    @Test("a state that cannot be read is thrown away")
    func garbage() async throws {
        try await withKeeper(events: 3) { keeper, store in
            try await store.keep(Snapshot(version: 3, schemaVersion: 2, state: Array("{".utf8)), of: a)
            #expect(await keeper.latest(Sum.self, of: a) == nil)
            #expect(try await store.snapshot(of: a) == nil)
        }
    }

    @Test("nothing is kept on the path of who offers, and too much is not taken in")
    func bounded() async throws {
        try await withKeeper(events: 1) { keeper, store in
            let taken = (1...100).count { number in
                keeper.offer(Sum(total: 7), of: stream("a-\(number)"), at: 501, after: 0) > 0
            }
            #expect(taken == 64)
            let kept = try await store.snapshot(of: a)
            #expect(kept == nil)
        }
    }
}
