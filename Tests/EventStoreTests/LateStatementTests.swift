import EventStore
import Glibc
import Postgres
import SignalboxTestKit
import Testing

@Suite("A statement that is late")
struct LateStatementTests {
    @Test("is not done any more when it was sent again", arguments: Durability.allCases)
    func late(durability: Durability) async throws {
        let server = try await PostgresServer.start()
        let database = try await server.makeDatabase(.migrated)
        let proxy = try CuttingProxy(before: server, cutting: "append")
        let conninfo = proxy.conninfo(user: "signalbox", database: database.name)
        let pool = Pool(conninfo: database.application, size: 2, role: "signalbox_append")
        let log = try await PostgresLog.open(conninfo: conninfo, pool: pool, durability: durability)
        let sessions = Sessions(try await Connection.open(database.superuser))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await log.run() }
            _ = try await log.append(request("a-0", .any))
            let backends = try await sessions.all()
            for pid in backends { kill(pid, SIGSTOP) }
            // A process that is stopped has the statement before it, and nobody hears what becomes of it.
            proxy.arm(.afterStatement)
            let again = try await log.append(request("a-0", .any))
            #expect(again.lastPosition == 2)
            for pid in backends { kill(pid, SIGCONT) }
            try await sessions.gone(backends)
            #expect(try await log.append(request("a-0", .any)).lastPosition == 3)
            log.close()
            try await group.waitForAll()
        }
        #expect(proxy.cuts == 1)
        proxy.close()
        await sessions.connection.close()
        await pool.close()
        try await server.remove()
    }
}
