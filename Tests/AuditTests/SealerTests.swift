import EventStore
import Kernel
import Logging
import Postgres
import SignalboxTestKit
import Testing

@testable import Audit

@Suite("Sealer")
struct SealerTests {
    @Test("signs the tree over the durable events, and extends it by what comes")
    func seals() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            #expect(try await sealing.sealer().turn(lease).size == 0)
            #expect(try await sealing.published() == nil)
            var range = CompactRange()
            // Also such that only the tiles at the bottom grow.
            for size in [3, 300, 303, 511, 512, 515] as [Int64] {
                try await sealing.write(Int(size - range.size))
                let head = try await sealing.sealer().turn(lease)
                let events = try await sealing.running.log.stored(after: range.size, limit: 1000)
                for event in events { range.append(try #require(Hash(event.recomputedLeaf))) }
                let checkpoint = try #require(try await sealing.published())
                #expect(checkpoint == Checkpoint(origin: "example.com/log", size: size, root: range.root))
                #expect(try sealing.folder.newest() == checkpoint)
                #expect(head.size == size && head.root == range.root)
            }
            #expect(try await sealing.audit.run(trusting: [sealing.key.verifier]).isGood)
        }
    }

    @Test("stores tiles that make the root, across the edges of tiles")
    func tiles() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            try await sealing.fill(1000)
            try await sealing.sealer().turn(lease)
            try await sealing.write(24)
            try await sealing.sealer().turn(lease)
            let checkpoint = try #require(try await sealing.published())
            #expect(checkpoint.size == 1024)
            let tree = MerkleTree(size: 1024, reading: sealing.store.tiles)
            #expect(try await tree.root() == checkpoint.root)
            let old = MerkleTree(size: 1000, reading: sealing.store.tiles)
            #expect(
                try await tree.consistency(from: 1000).proves(try await old.root(), begins: checkpoint.root)
            )
            for tile in Tile.all(in: 1024) + Tile.all(in: 1000) {
                #expect(try await sealing.transparency.tile(tile)?.count == tile.width * 32)
            }
            #expect(try await sealing.transparency.tile(Tile(level: 0, index: 4)) == nil)
            #expect(try await sealing.transparency.tile(Tile(level: 1, index: 0, width: 5)) == nil)
        }
    }

    @Test("goes on after a crash at any step, and signs one root for each size", arguments: SealStep.allCases)
    func crash(after step: SealStep) async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            try await sealing.write(5)
            try await sealing.sealer().turn(lease)
            try await sealing.write(5)
            let crashing = sealing.sealer { (reached: SealStep) async throws(AuditError) in
                if reached == step { throw AuditError.unavailable("crash") }
            }
            await #expect(throws: AuditError.unavailable("crash")) { try await crashing.turn(lease) }
            let committed = try await sealing.store.head()
            // What is public or kept outside is never more than what is committed.
            #expect(committed.size == 10)
            #expect(try sealing.folder.newest()?.size == (step == .sealed || step == .signed ? 5 : 10))
            #expect(try await sealing.published()?.size == (step == .published ? 10 : 5))
            try await sealing.write(1)
            let head = try await sealing.sealer().turn(lease)
            #expect(head.size == 11)
            #expect(try await sealing.published()?.size == 11)
            let tree = MerkleTree(size: 10, reading: sealing.store.tiles)
            #expect(try await tree.root() == committed.root)
            #expect(try await sealing.audit.run(trusting: [sealing.key.verifier]).isGood)
        }
    }

    @Test("does nothing without the lease, and leaves no trace")
    func fenced() async throws {
        try await Sealing.with { sealing in
            let first = try await sealing.lease(for: .milliseconds(1))
            try await sealing.write(3)
            var second = first
            try await eventually {
                let items = try await sealing.running.queue.claim(
                    kinds: [SealerRunner.kind],
                    owner: "two",
                    limit: 1,
                    lease: .seconds(60)
                )
                second = items.first ?? second
                return second.fence > first.fence
            }
            await #expect(throws: AuditError.fenced) { try await sealing.sealer().turn(first) }
            #expect(try await sealing.store.head().size == 0)
            #expect(try sealing.folder.newest() == nil)
            #expect(try await sealing.sealer().turn(second).size == 3)
        }
    }

    @Test("a sealer that was overtaken between two steps changes nothing")
    func overtaken() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            try await sealing.write(4)
            let slow = sealing.sealer(
                log: Overtaking(log: sealing.running.log) { try await sealing.sealer().turn(lease) }
            )
            await #expect(throws: AuditError.fenced) { try await slow.turn(lease) }
            #expect(try await sealing.published()?.size == 4)
            #expect(try await sealing.audit.run(trusting: [sealing.key.verifier]).isGood)
        }
    }

    @Test("of two runners one seals, and the other takes over when it stops")
    func two() async throws {
        try await Sealing.with { sealing in
            let runners = ["one", "two"].map { owner in
                SealerRunner(
                    sealer: sealing.sealer(),
                    log: sealing.running.log,
                    work: sealing.running.queue,
                    owner: owner,
                    settings: .init(patrol: .milliseconds(5), interval: .milliseconds(4)),
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                )
            }
            let tasks = runners.map { runner in Task { await runner.run() } }
            try await sealing.write(30)
            try await eventually { try await sealing.published()?.size == 30 }
            tasks[0].cancel()
            await tasks[0].value
            try await sealing.write(5)
            try await eventually { try await sealing.published()?.size == 35 }
            #expect(try await runners[1].progress().lag == 0)
            tasks[1].cancel()
            await tasks[1].value
            #expect(try await sealing.audit.run(trusting: [sealing.key.verifier]).isGood)
        }
    }

    @Test("two keys sign while one replaces the other, and both are remembered with their sizes")
    func rotation() async throws {
        try await Sealing.with { sealing in
            let lease = try await sealing.lease()
            let (old, new) = (sealing.key, try SigningKey(generatedFor: "example.com/log"))
            try await sealing.write(1)
            try await sealing.sealer(keys: [old]).turn(lease)
            // Without a new event too: the newest checkpoint is signed by the new key at once.
            try await sealing.sealer(keys: [old, new]).turn(lease)
            let both = try SignedNote(try #require(try await sealing.transparency.checkpoint()).utf8)
            #expect(try both.signers(among: [new.verifier]) == [new.verifier])
            #expect(try both.signers(among: [old.verifier]) == [old.verifier])
            try await sealing.write(1)
            try await sealing.sealer(keys: [old, new]).turn(lease)
            try await sealing.write(1)
            try await sealing.sealer(keys: [new]).turn(lease)
            let signers = try await sealing.transparency.signers()
            #expect(signers.map(\.vkey).sorted() == [old, new].map(\.verifier.description).sorted())
            let spans = Dictionary(uniqueKeysWithValues: signers.map { ($0.vkey, [$0.firstSize, $0.lastSize]) })
            #expect(spans[old.verifier.description] == [1, 2])
            #expect(spans[new.verifier.description] == [1, 3])
            #expect(signers.filter(\.isCurrent).map(\.vkey) == [new.verifier.description])
        }
    }
}

/// A log during the reading of which somebody else gets ahead.
private struct Overtaking: EventLogWrapper {
    let log: any EventLog
    let meanwhile: @Sendable () async throws -> Void

    func frontier() async throws(LogError) -> Int64 {
        do { try await meanwhile() } catch { throw .unavailable("\(error)") }
        return try await log.frontier()
    }
}
