import Postgres
import SignalboxTestKit
import Testing

@Suite("Transaction", .emptyDatabase)
struct TransactionTests {
    private func open() async throws -> Connection {
        let connection = try await Connection.open(try #require(TestDatabase.current).superuser)
        try await connection.script("CREATE TEMPORARY TABLE t (id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        return connection
    }

    @Test("commits what the body did, at READ COMMITTED")
    func commits() async throws {
        let connection = try await open()
        let level = try await connection.transaction { tx throws(PostgresError) in
            try tx.run("INSERT INTO t VALUES (1)")
            return try tx.run("SHOW transaction_isolation").column(String.self)
        }
        #expect(level == ["read committed"])
        try await connection.script("ROLLBACK")
        #expect(try await connection.run("SELECT id FROM t").column(Int.self) == [1])
    }

    @Test("takes everything back when the body throws")
    func rollsBack() async throws {
        let connection = try await open()
        await #expect(throws: PostgresError.self) {
            try await connection.transaction { tx throws(PostgresError) in
                try tx.run("INSERT INTO t VALUES (1)")
                try tx.run("SELECT 1 / 0")
            }
        }
        #expect(try await connection.run("SELECT id FROM t").count == 0)
        #expect(try await connection.run("SELECT pg_current_xact_id_if_assigned() IS NULL").column(Bool.self) == [true])
    }

    @Test("does not call committed what a swallowed refusal had doomed")
    func doomed() async throws {
        let connection = try await open()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { tx throws(PostgresError) in
                try tx.run("INSERT INTO t VALUES (1)")
                do throws(PostgresError) { try tx.run("SELECT 1 / 0") } catch {}
            }
        }
        #expect(error?.code == "25P02")
        #expect(try await connection.run("SELECT id FROM t").count == 0)
    }

    @Test("a constraint that speaks up at the commit is a refusal")
    func deferred() async throws {
        let connection = try await open()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { tx throws(PostgresError) in
                try tx.run("INSERT INTO t VALUES (1), (1)").count
            }
        }
        #expect(error?.isUniqueViolation == true)
        #expect(try await connection.run("SELECT id FROM t").count == 0)
    }

    @Test("a task cancelled before the commit leaves nothing behind")
    func cancelled() async throws {
        let connection = try await open()
        let task = Task {
            try await connection.transaction { tx throws(PostgresError) in
                try tx.run("INSERT INTO t VALUES (1)")
                withUnsafeCurrentTask { $0?.cancel() }
            }
        }
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.kind == .cancelled)
        #expect(try await connection.run("SELECT id FROM t").count == 0)
    }

    @Test("a snapshot sees one moment and writes nothing")
    func snapshot() async throws {
        let connection = try await open()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction(.snapshot) { tx throws(PostgresError) in
                try tx.run("CREATE TABLE nope (id bigint)").count
            }
        }
        #expect(error?.code == "25006")
    }

    @Test("one that idles too long loses its session")
    func idle() async throws {
        let connection = try await Connection.open(
            try #require(TestDatabase.current).superuser,
            limits: SessionLimits(idleInTransaction: .milliseconds(20))
        )
        let watcher = try await open()
        let process = try await connection.run("SELECT pg_backend_pid()").column(Int32.self)[0]
        try await connection.script("BEGIN")
        try await eventually {
            try await watcher.run("SELECT 1 FROM pg_stat_activity WHERE pid = \(process)").count == 0
        }
        let error = await #expect(throws: PostgresError.self) { try await connection.script("COMMIT") }
        #expect(error?.kind == .lost)
        #expect(error?.code == "25P03")
    }
}
