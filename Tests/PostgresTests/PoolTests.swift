import Postgres
import SignalboxTestKit
import Synchronization
import Testing

/// Something that statements wait at until it is opened: an advisory lock of another session.
private struct Gate {
    private let keeper: Connection

    init(_ conninfo: String) async throws {
        keeper = try await Connection.open(conninfo)
        try await keeper.script("SELECT pg_advisory_lock(4711)")
    }

    static func wait(on connection: isolated Connection) throws(PostgresError) {
        try connection.script("SELECT pg_advisory_xact_lock(4711)")
    }

    func open() async {
        await keeper.close()
    }
}

/// Tells one task how far another is.
private final class Flag: Sendable {
    private let state = Mutex(false)

    var isRaised: Bool { state.withLock { $0 } }

    func raise() { state.withLock { $0 = true } }
}

@Suite("Pool", .emptyDatabase)
struct PoolTests {
    private func pool(size: Int, wait: Duration = .seconds(10), role: String? = nil) throws -> Pool {
        Pool(conninfo: try #require(TestDatabase.current).superuser, size: size, role: role, waitLimit: wait)
    }

    private func process(_ pool: Pool) async throws -> Int32 {
        try await pool.with { connection throws(PostgresError) in
            try connection.run("SELECT pg_backend_pid()").column(Int32.self)[0]
        }
    }

    @Test("never has more connections than its size, and serves everybody")
    func bounded() async throws {
        let pool = try pool(size: 3, wait: .seconds(60))
        let processes = try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    try await pool.with { connection throws(PostgresError) in
                        try connection.run("SELECT pg_backend_pid() FROM pg_sleep(0.005)").column(Int32.self)[0]
                    }
                }
            }
            return try await group.reduce(into: [Int32]()) { $0.append($1) }
        }
        #expect(processes.count == 40)
        #expect(Set(processes).count <= 3)
        await pool.close()
    }

    @Test("says busy to who waited too long, and serves the next")
    func busy() async throws {
        let pool = try pool(size: 1, wait: .milliseconds(50))
        let holds = Flag()
        let gate = try await Gate(try #require(TestDatabase.current).superuser)
        try await withThrowingTaskGroup { group in
            group.addTask {
                try await pool.with { connection throws(PostgresError) in
                    holds.raise()
                    try Gate.wait(on: connection)
                }
            }
            try await eventually { holds.isRaised }
            let error = await #expect(throws: PostgresError.self) { try await process(pool) }
            #expect(error?.kind == .busy)
            await gate.open()
            try await group.waitForAll()
        }
        _ = try await process(pool)
    }

    @Test("who is cancelled while waiting leaves the line")
    func cancelled() async throws {
        let pool = try pool(size: 1)
        let holds = Flag()
        let gate = try await Gate(try #require(TestDatabase.current).superuser)
        try await withThrowingTaskGroup { group in
            group.addTask {
                try await pool.with { connection throws(PostgresError) in
                    holds.raise()
                    try Gate.wait(on: connection)
                }
            }
            try await eventually { holds.isRaised }
            let waiting = Task {
                _ = try await pool.with { connection throws(PostgresError) in try connection.run("SELECT 1").count }
            }
            waiting.cancel()
            let error = await #expect(throws: PostgresError.self) { try await waiting.value }
            #expect(error?.kind == .cancelled)
            await gate.open()
            try await group.waitForAll()
        }
        _ = try await process(pool)
    }

    @Test("puts things in order for a cancelled task, when told to", arguments: [0, 1])
    func evenIfCancelled(connectionsBefore: Int) async throws {
        let pool = try pool(size: 1)
        if connectionsBefore > 0 { _ = try await process(pool) }
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await pool.with(evenIfCancelled: true) { connection throws(PostgresError) in
                try connection.transaction { tx throws(PostgresError) in
                    try tx.run("SELECT 7 FROM pg_sleep(0.15)").column(Int.self)
                }
            }
        }
        #expect(try await task.value == [7])
        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await process(pool)
        }
        let error = await #expect(throws: PostgresError.self) { try await cancelled.value }
        #expect(error?.kind == .cancelled)
    }

    @Test("replaces a session that was ended behind its back, and nobody notices")
    func replaces() async throws {
        let pool = try pool(size: 1)
        let first = try await process(pool)
        let other = try await Connection.open(try #require(TestDatabase.current).superuser)
        try await other.run("SELECT pg_terminate_backend(\(first), 5000)")
        let second = try await process(pool)
        #expect(first != second)
        #expect(try await process(pool) == second)
    }

    @Test("a session lost in use is an error to its user and to nobody after")
    func lost() async throws {
        let pool = try pool(size: 1)
        let error = await #expect(throws: PostgresError.self) {
            try await pool.with { connection throws(PostgresError) in
                try connection.run("SELECT pg_terminate_backend(pg_backend_pid())").count
            }
        }
        #expect(error?.kind == .lost)
        _ = try await process(pool)
    }

    @Test("takes back a transaction that was left open")
    func leftOpen() async throws {
        let pool = try pool(size: 1)
        try await pool.with { connection throws(PostgresError) in
            try connection.script("BEGIN; CREATE TABLE left_open ()")
        }
        let there = try await pool.with { connection throws(PostgresError) in
            try connection.run("SELECT 1 FROM pg_class WHERE relname = 'left_open'").count
        }
        #expect(there == 0)
    }

    @Test("becomes the role on every connection")
    func role() async throws {
        let pool = try pool(size: 2, role: "pg_monitor")
        let user = try await pool.transaction { tx throws(PostgresError) in
            try tx.run("SELECT current_user::text").column(String.self)
        }
        #expect(user == ["pg_monitor"])
    }

    @Test("says unreachable while there is no server, and recovers by itself")
    func outage() async throws {
        let server = try await PostgresServer.start()
        let pool = Pool(conninfo: server.conninfo(), size: 2)
        _ = try await process(pool)
        try await server.stop(.immediate)
        for _ in 0..<5 {
            let error = await #expect(throws: PostgresError.self) { try await process(pool) }
            #expect(error?.kind == .unreachable)
        }
        try await server.launch()
        _ = try await process(pool)
        try await server.remove()
    }

    @Test("a closed pool lends nothing and keeps nothing")
    func closed() async throws {
        let pool = try pool(size: 2)
        let process = try await process(pool)
        await pool.close()
        let error = await #expect(throws: PostgresError.self) { try await self.process(pool) }
        #expect(error?.kind == .busy)
        let watcher = try await Connection.open(try #require(TestDatabase.current).superuser)
        try await eventually {
            try await watcher.run("SELECT 1 FROM pg_stat_activity WHERE pid = \(process)").count == 0
        }
    }
}
