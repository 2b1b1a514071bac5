import Audit
import Kernel
import Logging
import Postgres
import SignalboxTestKit
import Synchronization
import Testing

@Suite("Refusals")
struct RefusalTests {
    private static let start = Timestamp(microseconds: 1_800_000_000_000_000)

    private static func refusal(
        _ number: Int,
        by principal: String = "user-1",
        of organization: Int64? = 42,
        after seconds: Int = 0
    ) -> Refusal {
        Refusal(
            at: start + .seconds(seconds),
            principal: principal,
            organization: organization,
            action: "deleteOrganization",
            problem: "forbidden",
            request: "r-\(number)"
        )
    }

    /// Runs `body` with a store and a recorder whose clock stands.
    private static func with(
        _ limits: RefusalRecorder.Limits = .init(),
        at moment: Timestamp = start,
        _ body: (RefusalStore, RefusalRecorder) async throws -> Void
    ) async throws {
        try await withDatabase { database in
            let pool = Pool(conninfo: database.conninfo(user: "signalbox"), size: 1, role: "signalbox_append")
            let store = RefusalStore(pool: pool)
            var quiet = Logger(label: "test")
            quiet.logLevel = .critical
            let recorder = RefusalRecorder(store: store, limits: limits, now: { moment }, logger: quiet)
            do {
                try await body(store, recorder)
            } catch {
                await pool.close()
                throw error
            }
            await pool.close()
        }
    }

    @Test("are kept as they were told, and read newest first, of one organization or of all, in pages")
    func kept() async throws {
        try await Self.with { store, recorder in
            for number in 1...3 { recorder.record(Self.refusal(number)) }
            recorder.record(Self.refusal(4, of: 43))
            recorder.record(Self.refusal(5, of: nil))
            #expect(try await store.list(of: nil, before: nil, limit: 10).isEmpty)
            await recorder.flush()
            await recorder.flush()
            let all = try await store.list(of: nil, before: nil, limit: 10)
            #expect(all.map(\.refusal.request) == ["r-5", "r-4", "r-3", "r-2", "r-1"])
            #expect(all.last?.refusal == Self.refusal(1))
            let two = try await store.list(of: 42, before: nil, limit: 2)
            #expect(two.map(\.refusal.request) == ["r-3", "r-2"])
            let rest = try await store.list(of: 42, before: two.last?.number, limit: 2)
            #expect(rest.map(\.refusal.request) == ["r-1"])
        }
    }

    @Test("of one principal are kept up to a number in each minute, and all together up to another")
    func bounded() async throws {
        try await Self.with(.init(waiting: 5, each: 2)) { store, recorder in
            for number in 1...4 { recorder.record(Self.refusal(number)) }
            recorder.record(Self.refusal(5, by: "user-2"))
            recorder.record(Self.refusal(6, after: 60))
            for number in 7...20 { recorder.record(Self.refusal(number, by: "user-\(number)", after: 60)) }
            await recorder.flush()
            let kept = try await store.list(of: nil, before: nil, limit: 100).map(\.refusal.request)
            #expect(kept == ["r-7", "r-6", "r-5", "r-2", "r-1"])
        }
    }

    @Test("are thrown away after their time")
    func forgotten() async throws {
        try await Self.with(.init(kept: .seconds(3600)), at: Self.start + .seconds(3660)) { store, recorder in
            recorder.record(Self.refusal(1))
            recorder.record(Self.refusal(2, after: 120))
            await recorder.flush()
            await recorder.forget()
            let kept = try await store.list(of: nil, before: nil, limit: 10).map(\.refusal.request)
            #expect(kept == ["r-2"])
        }
    }

    @Test("are lost, and nobody waits, while there is no database")
    func unavailable() async throws {
        let pool = Pool(conninfo: "host=/nowhere", size: 1)
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let recorder = RefusalRecorder(
            store: RefusalStore(pool: pool),
            now: { Self.start },
            logger: quiet
        )
        recorder.record(Self.refusal(1))
        await recorder.flush()
        await recorder.forget()
        await pool.close()
    }
}
