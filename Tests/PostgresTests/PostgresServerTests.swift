import Postgres
import SignalboxTestKit
import Testing

@Suite("The throw-away server")
struct PostgresServerTests {
    @Test("gives each who asks a database of their own")
    func databases() async throws {
        try await withDatabase(.empty) { first in
            try await withDatabase(.empty) { second in
                let connection = try await Connection.open(first.superuser)
                try await connection.script("CREATE TABLE mine (id bigint)")
                let other = try await Connection.open(second.superuser)
                let there = try await connection.run("SELECT 1 FROM pg_class WHERE relname = 'mine'").count
                let elsewhere = try await other.run("SELECT 1 FROM pg_class WHERE relname = 'mine'").count
                #expect(there == 1)
                #expect(elsewhere == 0)
            }
        }
    }

    @Test("keeps its data over a power cut, and leaves nothing when it is removed")
    func restart() async throws {
        let server = try await PostgresServer.start(durable: true, settings: ["max_connections": "10"])
        let before = try await Connection.open(server.conninfo())
        try await before.script("CREATE TABLE kept (id bigint); INSERT INTO kept VALUES (7)")
        try await server.stop(.immediate)
        await #expect(throws: PostgresError.self) { try await before.script("SELECT 1") }
        try await server.launch()
        let after = try await Connection.open(server.conninfo())
        #expect(try await after.run("SELECT id FROM kept").column(Int.self) == [7])
        #expect(try await after.run("SHOW max_connections").column(String.self) == ["10"])
        try await server.remove()
        await #expect(throws: PostgresError.self) { try await Connection.open(server.conninfo()) }
    }
}
