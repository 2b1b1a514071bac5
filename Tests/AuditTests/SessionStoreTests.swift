import Audit
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("Sessions of browsers")
struct SessionStoreTests {
    private let start = Timestamp(microseconds: 1_800_000_000_000_000)

    private func session(_ number: Int, login: Int? = nil) -> SessionRecord {
        SessionRecord(
            token: "token-\(number)",
            login: "login-\(login ?? number)",
            person: Int64(number),
            startedAt: start,
            endsAt: start + .seconds(86_400)
        )
    }

    private func with(_ body: @escaping (TestDatabase, SessionStore) async throws -> Void) async throws {
        try await withDatabase { database in
            let pool = Pool(conninfo: database.conninfo(user: "signalbox"), size: 2, role: "signalbox_append")
            do {
                try await body(database, SessionStore(pool: pool, idle: .seconds(3600)))
            } catch {
                await pool.close()
                throw error
            }
            await pool.close()
        }
    }

    @Test("are found by their token until they are ended, and one that is ended is over for good")
    func found() async throws {
        try await with { _, store throws in
            #expect(try await store.open(session(1)))
            #expect(try await store.find("token-1", at: start) == session(1))
            #expect(try await store.find("token-2", at: start) == nil)
            #expect(try await store.find("login-1", at: start) == nil)
            try await store.end("token-1", at: start)
            try await store.end("token-1", at: start)
            try await store.end("token-2", at: start)
            #expect(try await store.find("token-1", at: start) == nil)
            #expect(try await store.open(session(1)) == false)
            #expect(try await store.find("token-1", at: start) == nil)
        }
    }

    @Test("are opened once for a login, also when two ask at once and after it was ended")
    func once() async throws {
        try await with { _, store throws in
            let opened = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 1...8 { group.addTask { try await store.open(session(number, login: 1)) } }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(opened == 1)
            for number in 1...8 { try await store.end("token-\(number)", at: start) }
            #expect(try await store.open(session(9, login: 1)) == false)
        }
    }

    @Test("are over when they are not used for long enough, and at their end however much they are used")
    func over() async throws {
        try await with { _, store throws in
            #expect(try await store.open(session(1)))
            #expect(try await store.open(session(2)))
            for minutes in stride(from: 50, through: 1400, by: 50) {
                #expect(try await store.find("token-1", at: start + .seconds(60 * minutes)) != nil, "\(minutes)")
            }
            #expect(try await store.find("token-2", at: start + .seconds(3601)) == nil)
            #expect(try await store.find("token-1", at: start + .seconds(86_399)) != nil)
            #expect(try await store.find("token-1", at: start + .seconds(86_400)) == nil)
        }
    }

    @Test("that are over are forgotten when somebody signs in, and no others")
    func forgotten() async throws {
        try await with { database, store throws in
            #expect(try await store.open(session(1)))
            #expect(try await store.open(session(2)))
            try await store.end("token-2", at: start)
            var late = session(3)
            late.startedAt = start + .seconds(86_300)
            late.endsAt = start + .seconds(2 * 86_400)
            #expect(try await store.open(late))
            let connection = try await Connection.open(database.superuser)
            #expect(try await connection.run("SELECT token FROM access.session").count == 3)
            late = session(4)
            late.startedAt = start + .seconds(86_401)
            late.endsAt = start + .seconds(2 * 86_400)
            #expect(try await store.open(late))
            #expect(try await connection.run("SELECT token FROM access.session").count == 2)
            await connection.close()
        }
    }

    @Test("are not to be had by who may read the log")
    func closed() async throws {
        try await with { database, store throws in
            #expect(try await store.open(session(1)))
            for role in ["signalbox_audit", "signalbox_project"] {
                let pool = Pool(conninfo: database.conninfo(user: "signalbox"), size: 1, role: role)
                await #expect(throws: PostgresError.self, "\(role)") {
                    try await SessionStore(pool: pool).find("token-1", at: start)
                }
                await pool.close()
            }
        }
    }
}
