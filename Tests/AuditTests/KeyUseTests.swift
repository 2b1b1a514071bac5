import Audit
import Kernel
import Logging
import Postgres
import SignalboxTestKit
import Testing

@Suite("The last use of keys")
struct KeyUseTests {
    private let start = Timestamp(microseconds: 1_800_000_000_000_000)

    private func with(_ body: (TestDatabase, KeyUseStore, KeyUseRecorder) async throws -> Void) async throws {
        try await withDatabase { database in
            let pool = Pool(conninfo: database.conninfo(user: "signalbox"), size: 1, role: "signalbox_append")
            let store = KeyUseStore(pool: pool)
            var quiet = Logger(label: "test")
            quiet.logLevel = .critical
            do {
                try await body(database, store, KeyUseRecorder(store: store, logger: quiet))
            } catch {
                await pool.close()
                throw error
            }
            await pool.close()
        }
    }

    @Test("is written a moment later, once a minute for each key, and never goes back")
    func written() async throws {
        try await with { _, store, recorder in
            recorder.note(7, at: start)
            recorder.note(8, at: start + .seconds(1))
            #expect(try await store.uses(of: [7, 8, 9]) == [:])
            await recorder.flush()
            #expect(try await store.uses(of: [7, 8, 9]) == [7: start, 8: start + .seconds(1)])
            recorder.note(7, at: start + .seconds(59))
            await recorder.flush()
            #expect(try await store.uses(of: [7]) == [7: start])
            recorder.note(7, at: start + .seconds(60))
            await recorder.flush()
            #expect(try await store.uses(of: [7]) == [7: start + .seconds(60)])
            // Another process has seen an earlier use, and writes later.
            try await store.keep([7: start + .seconds(30), 9: start])
            #expect(try await store.uses(of: [7, 9]) == [7: start + .seconds(60), 9: start])
        }
    }

    @Test("that could not be written is written by the next use")
    func lost() async throws {
        try await with { database, store, recorder in
            let connection = try await Connection.open(database.superuser)
            _ = try await connection.run("ALTER TABLE audit.key_use RENAME TO away")
            recorder.note(7, at: start)
            await recorder.flush()
            _ = try await connection.run("ALTER TABLE audit.away RENAME TO key_use")
            await connection.close()
            recorder.note(7, at: start + .seconds(1))
            await recorder.flush()
            #expect(try await store.uses(of: [7]) == [7: start + .seconds(1)])
        }
    }
}
