import Glibc
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("Connection", .emptyDatabase)
struct ConnectionTests {
    private func open(_ limits: SessionLimits = SessionLimits()) async throws -> Connection {
        try await Connection.open(try #require(TestDatabase.current).superuser, limits: limits)
    }

    @Test("values of every type come back as they went, NULL too")
    func values() async throws {
        let connection = try await open()
        let moment = Timestamp(microseconds: 1_763_712_000_123_456)
        let id = UniqueID(UInt128(0x0123_4567_89ab_cdef) << 64 | 42)
        let text = "naïve \u{1F6A6} ' \" \\ $1 \n"
        let sql: SQL = """
            SELECT \(Int64.min), \(Int32.max), \(Int16.min), \(true), \(0.1), \(text), \([UInt8]([0, 1, 255])), \(id),
                   \(moment), \(String?.none), \(Int?.some(7))
            """
        for prepared in [false, true, true] {
            let row = try await connection.run(sql, prepared: prepared).decode(
                0,
                Int64.self,
                Int32.self,
                Int16.self,
                Bool.self,
                Double.self,
                String.self,
                [UInt8].self,
                UniqueID.self,
                Timestamp.self,
                String?.self,
                Int?.self
            )
            #expect(row.0 == .min)
            #expect(row.1 == .max)
            #expect(row.2 == .min)
            #expect(row.3)
            #expect(row.4 == 0.1)
            #expect(row.5 == text)
            #expect(row.6 == [0, 1, 255])
            #expect(row.7 == id)
            #expect(row.8 == moment)
            #expect(row.9 == nil)
            #expect(row.10 == 7)
        }
    }

    @Test("a moment means the same to both sides")
    func moment() async throws {
        let rows = try await open().run("SELECT timestamptz '2025-11-21 08:00:00.123456+00'")
        #expect(try rows.column(Timestamp.self) == [Timestamp(microseconds: 1_763_712_000_123_456)])
    }

    @Test("arrays come back as they went, empty and with NULLs too")
    func arrays() async throws {
        let connection = try await open()
        let numbers: [Int64?] = [1, nil, .max]
        let rows = try await connection.run(
            "SELECT \(array: ["", "a,b", "{\"}"]), \(array: numbers), \(array: [String]()), array_length(\(array: [1, 2]), 1)"
        )
        #expect(try rows.array(String.self, row: 0, column: 0) == ["", "a,b", "{\"}"])
        #expect(try rows.optionals(Int64.self, row: 0, column: 1) == numbers)
        #expect(try rows.array(String.self, row: 0, column: 2).isEmpty)
        #expect(try rows.value(Int.self, row: 0, column: 3) == 2)
        #expect(throws: PostgresError.self) { try rows.array(Int64.self, row: 0, column: 1) }
    }

    @Test("a column of another type, or NULL where none may be, is an error and not a trap")
    func shape() async throws {
        let rows = try await open().run("SELECT 'text', NULL::bigint, 7::bigint")
        #expect(throws: PostgresError(.shape, message: "column 0 of type 25 is no Int")) {
            try rows.value(Int.self, row: 0, column: 0)
        }
        #expect(throws: PostgresError(.shape, message: "column 1 is NULL")) {
            try rows.decode(0, String.self, Int.self, Int.self)
        }
        #expect(throws: PostgresError.self) { try rows.value(Int.self, row: 0, column: 3) }
        #expect(throws: PostgresError.self) { try rows.value(Int.self, row: 1, column: 0) }
        #expect(throws: PostgresError.self) { try rows.array(Int.self, row: 0, column: 2) }
    }

    @Test("input cannot leave its place, as a value or as a name")
    func injection() async throws {
        let connection = try await open()
        let evil = "'; DROP TABLE x; -- \\' \" \0 $1"
        let seen = try await connection.run("SELECT \(evil.filter { $0 != "\0" })").column(String.self)
        #expect(seen == [evil.filter { $0 != "\0" }])
        let name: SQL = "SELECT 1 AS \(identifier: "a\"; DROP TABLE x; --")"
        #expect(name.text == "SELECT 1 AS \"a\"\"; DROP TABLE x; --\"")
        let literal = try await connection.run("SELECT \(unsafe: SQL.quoted(literal: #"it's \' "#))").column(
            String.self
        )
        #expect(literal == [#"it's \' "#])
    }

    @Test("a refusal has its SQLSTATE and constraint, says nothing of the data, and leaves the session usable")
    func refusal() async throws {
        let connection = try await open()
        try await connection.script("CREATE TEMPORARY TABLE t (id bigint CONSTRAINT only_once UNIQUE)")
        try await connection.run("INSERT INTO t VALUES (4711)")
        let error = await #expect(throws: PostgresError.self) {
            try await connection.run("INSERT INTO t VALUES (4711)")
        }
        #expect(error?.isUniqueViolation == true)
        #expect(error?.constraint == "only_once")
        #expect(error?.description == "the database refused the statement (SQLSTATE 23505)")
        #expect(error.map { "\($0)" }?.contains("4711") == false)
        #expect(try await connection.run("SELECT id FROM t").column(Int.self) == [4711])
    }

    @Test("refusals are told apart")
    func classes() async throws {
        let connection = try await open()
        let cases: [(String, (PostgresError) -> Bool)] = [
            ("SELECT * FROM nowhere", { $0.isUndefined && !$0.isTransient }),
            ("SELECT nothing()", \.isUndefined),
            ("CREATE SCHEMA public", \.isDuplicateObject),
            ("SET LOCAL ROLE pg_monitor; SELECT pg_reload_conf()", \.isPermissionDenied),
            ("DO $$ BEGIN RAISE serialization_failure; END $$", { $0.isRetryable && $0.isTransient }),
            ("DO $$ BEGIN RAISE deadlock_detected; END $$", { $0.isRetryable && $0.isTransient }),
            ("DO $$ BEGIN RAISE disk_full; END $$", { !$0.isRetryable && $0.isTransient }),
            ("DO $$ BEGIN RAISE check_violation; END $$", { $0.isCheckViolation && $0.isConstraintViolation }),
            ("SELECT 1 / 0", { !$0.isConstraintViolation && !$0.isTransient }),
        ]
        for (sql, holds) in cases {
            let error = try #require(await #expect(throws: PostgresError.self) { try await connection.script(sql) })
            #expect(error.kind == .refused)
            #expect(holds(error), "\(sql)")
        }
    }

    @Test("a statement that takes too long is cancelled by the server")
    func statementLimit() async throws {
        let connection = try await open(SessionLimits(statement: .milliseconds(100)))
        let error = await #expect(throws: PostgresError.self) { try await connection.run("SELECT pg_sleep(20)") }
        #expect(error?.kind == .cancelled)
        #expect(error?.code == "57014")
        try await connection.limit(statement: nil)
        #expect(try await connection.run("SELECT pg_sleep(0.2)").count == 1)
    }

    @Test("a server that does not answer at all is given up, and the session with it")
    func silence() async throws {
        let connection = try await open(SessionLimits(statement: .milliseconds(50), grace: .milliseconds(100)))
        let process = try await connection.run("SELECT pg_backend_pid()").column(Int32.self)[0]
        kill(process, SIGSTOP)
        defer { kill(process, SIGCONT) }
        let error = await #expect(throws: PostgresError.self) { try await connection.run("SELECT 1") }
        #expect(error?.kind == .lost)
        let after = await #expect(throws: PostgresError.self) { try await connection.run("SELECT 1") }
        #expect(after?.kind == .lost)
        #expect(await !connection.isOpen)
    }

    @Test("the end of the task ends the statement on the server")
    func cancellation() async throws {
        let connection = try await open()
        let process = try await connection.run("SELECT pg_backend_pid()").column(Int32.self)[0]
        let watcher = try await open()
        let task = Task { _ = try await connection.run("SELECT pg_sleep(60)") }
        let sleeping: SQL = "SELECT 1 FROM pg_stat_activity WHERE pid = \(process) AND wait_event = 'PgSleep'"
        try await eventually { try await watcher.run(sleeping).count == 1 }
        task.cancel()
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.kind == .cancelled)
        #expect(try await watcher.run(sleeping).count == 0)
        #expect(try await connection.run("SELECT 1").column(Int.self) == [1])
    }

    @Test("a cancelled task sends nothing")
    func cancelledBefore() async throws {
        let connection = try await open()
        try await connection.script("CREATE TEMPORARY TABLE t (id bigint)")
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            try await connection.run("INSERT INTO t VALUES (1)")
        }
        task.cancel()
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.kind == .cancelled)
        #expect(try await connection.run("SELECT id FROM t").count == 0)
    }

    @Test("a session that the server ended says lost, once and for ever")
    func terminated() async throws {
        let connection = try await open()
        let process = try await connection.run("SELECT pg_backend_pid()").column(Int32.self)[0]
        try await open().run("SELECT pg_terminate_backend(\(process), 5000)")
        for _ in 0..<2 {
            let error = await #expect(throws: PostgresError.self) { try await connection.run("SELECT 1") }
            #expect(error?.kind == .lost)
        }
    }

    @Test("ten megabytes go there and back at once")
    func large() async throws {
        let text = String(repeating: "0123456789", count: 1_000_000)
        let connection = try await open()
        #expect(try await connection.run("SELECT \(text)").column(String.self) == [text])
    }

    @Test("closing lets go of the session at once")
    func close() async throws {
        let connection = try await open()
        let process = try await connection.run("SELECT pg_backend_pid()").column(Int32.self)[0]
        await connection.close()
        let watcher = try await open()
        try await eventually {
            try await watcher.run("SELECT 1 FROM pg_stat_activity WHERE pid = \(process)").count == 0
        }
        await #expect(throws: PostgresError.self) { try await connection.run("SELECT 1") }
    }
}
