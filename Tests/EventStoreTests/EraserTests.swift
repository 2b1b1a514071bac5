import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("Erasing in the log")
struct EraserTests {
    private func record(_ what: String) -> AppendRequest {
        request([StreamWrite(stream("erasure-\(what)"), expecting: .none, events: [event("erasure.done")])])
    }

    @Test("record and effect are there together, in memory and in Postgres", arguments: [true, false])
    func together(onPostgres: Bool) async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let memory = MemoryLog()
                let log: any EventLog = onPostgres ? running.log : memory
                let keys: any SubjectKeys & ErasedSubjects =
                    onPostgres ? Keys(pool: running.pool) : MemorySubjectKeys()
                let eraser: any Eraser =
                    onPostgres ? PostgresEraser(pool: running.pool) : MemoryEraser(log: memory, subjects: keys)
                _ = try await log.append(request("a-1", .none, events: 3))
                _ = try await keys.keep([1], for: "user-1")
                let done = try await eraser.erase(Erasure(positions: [2]), recording: record("2"))
                #expect(done.firstPosition == 4)
                _ = try await eraser.erase(Erasure(subjects: ["user-1"]), recording: record("user-1"))
                // What another connection wrote is heard of a moment later.
                try await eventually { try await log.frontier() == 5 }
                let page = try await log.read(after: 0, through: 5, matching: .everything, limit: 9)
                #expect(page.events.map { $0.payload == nil } == [false, true, false, false, false])
                #expect(page.events.map(\.version) == [1, 2, 3, 1, 1])
                #expect(try await keys.wrappedKey(of: "user-1") == .destroyed)
                #expect(try await keys.erased(among: ["user-1", "user-2"]) == ["user-1"])
                // A record that cannot be written leaves everything as it was.
                await #expect(throws: AppendError.self) {
                    try await eraser.erase(
                        Erasure(positions: [3], subjects: ["user-2"]),
                        recording: request("a-1", .none)
                    )
                }
                #expect(try await log.read(stream("a-1"), after: 2, limit: 1).first?.payload != nil)
                #expect(try await keys.wrappedKey(of: "user-2") == .none)
            }
        }
    }

    @Test("nothing goes that no event records, and no record goes at all")
    func recorded() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let eraser = PostgresEraser(pool: running.pool)
                _ = try await running.log.append(request("a-1", .none, events: 2))
                _ = try await eraser.erase(Erasure(positions: [1]), recording: record("1"))
                await #expect(throws: AppendError.self) {
                    try await eraser.erase(Erasure(positions: [1, 2]), recording: request("b-1", .none))
                }
                await #expect(throws: AppendError.self) {
                    try await eraser.erase(Erasure(positions: [3]), recording: record("3"))
                }
                // The transaction was one: what was to be appended is not there either.
                try await eventually { try await running.log.frontier() == 3 }
                #expect(try await running.log.read(stream("a-1"), after: 1, limit: 1).first?.payload != nil)
            }
        }
    }

    @Test("every leaf is what it was, and a folded state that may hold the payload goes with it")
    func proofs() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                _ = try await running.log.append(request("a-1", .none, events: 2))
                let before = try await running.log.stored(after: 0, limit: 9)
                let owner = try await Connection.open(database.owner)
                try await owner.run(
                    """
                    INSERT INTO log.snapshot SELECT stream_id, 2, 1, '' FROM log.stream WHERE name = 'a-1'
                    """
                )
                _ = try await PostgresEraser(pool: running.pool)
                    .erase(Erasure(positions: [2]), recording: record("2"))
                try await eventually { try await running.log.frontier() == 3 }
                let after = try await running.log.stored(after: 0, limit: 9)
                #expect(after.prefix(2).map(\.leaf) == before.map(\.leaf))
                #expect(after[1].salt == nil && after[1].event.payload == nil)
                for row in after { #expect(row.recomputedLeaf == row.leaf) }
                let kept = try await owner.run("SELECT count(*) FROM log.snapshot WHERE schema_version > 0").decode(
                    0,
                    Int64.self
                )
                #expect(kept == 0)
                await owner.close()
            }
        }
    }

    @Test("readers learn who was erased without seeing a key")
    func erasedSubjects() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let keys = PostgresSubjectKeys(pool: running.pool)
                _ = try await keys.keep([1], for: "user-1")
                try await keys.destroy(of: "user-2")
                for role in ["signalbox_append", "signalbox_project", "signalbox_audit"] {
                    let pool = Pool(conninfo: database.application, size: 1, role: role)
                    let known = PostgresErasedSubjects(pool: pool)
                    #expect(try await known.erased(among: ["user-1", "user-2", "user-3"]) == ["user-2"])
                    #expect(try await known.erased(among: []).isEmpty)
                    await pool.close()
                }
            }
        }
    }
}

/// Both questions about subjects' keys, asked of one pool.
private struct Keys: SubjectKeys, ErasedSubjects {
    let pool: Pool
    private var keys: PostgresSubjectKeys { PostgresSubjectKeys(pool: pool) }

    init(pool: Pool) { self.pool = pool }

    func wrappedKey(of subject: String) async throws(LogError) -> SubjectKey {
        try await keys.wrappedKey(of: subject)
    }

    func keep(_ wrapped: [UInt8], for subject: String) async throws(LogError) -> SubjectKey {
        try await keys.keep(wrapped, for: subject)
    }

    func destroy(of subject: String) async throws(LogError) {
        try await keys.destroy(of: subject)
    }

    func erased(among subjects: Set<String>) async throws(LogError) -> Set<String> {
        try await PostgresErasedSubjects(pool: pool).erased(among: subjects)
    }
}
