import Postgres
import SignalboxTestKit
import Testing

@Suite("Listener", .emptyDatabase)
struct ListenerTests {
    @Test("hears what is committed on its channels, in order")
    func hears() async throws {
        let conninfo = try #require(TestDatabase.current).superuser
        let speaker = try await Connection.open(conninfo)
        var heard = Listener(conninfo: conninfo, channels: ["log", "Odd \"name"]).makeAsyncIterator()
        #expect(await heard.next() == .listening)
        try await speaker.script("NOTIFY log, '1'; NOTIFY \"Odd \"\"name\", 'two'; NOTIFY other, 'x'; NOTIFY log, '3'")
        #expect(await heard.next() == .notification(channel: "log", payload: "1"))
        #expect(await heard.next() == .notification(channel: "Odd \"name", payload: "two"))
        #expect(await heard.next() == .notification(channel: "log", payload: "3"))
    }

    @Test("says so when it listens again after a lost connection")
    func reconnects() async throws {
        let conninfo = try #require(TestDatabase.current).superuser
        let speaker = try await Connection.open(conninfo)
        var heard = Listener(conninfo: conninfo, channels: ["back"], applicationName: "to_be_lost").makeAsyncIterator()
        #expect(await heard.next() == .listening)
        try await speaker.run(
            """
            SELECT pg_terminate_backend(pid, 5000)
              FROM pg_stat_activity
             WHERE application_name = 'to_be_lost' AND datname = current_database()
            """
        )
        #expect(await heard.next() == .listening)
        try await speaker.script("NOTIFY back, 'again'")
        #expect(await heard.next() == .notification(channel: "back", payload: "again"))
    }

    @Test("waits out a server that is away, and ends with its task")
    func outage() async throws {
        let server = try await PostgresServer.start()
        try await server.stop()
        let listening = Task {
            var count = 0
            for await element in Listener(conninfo: server.conninfo(), channels: ["log"]) where element == .listening {
                count += 1
            }
            return count
        }
        try await server.launch()
        let watcher = try await Connection.open(server.conninfo())
        try await eventually {
            try await watcher.run(
                "SELECT 1 FROM pg_stat_activity WHERE application_name = 'signalbox-listen' AND query LIKE 'LISTEN%'"
            ).count == 1
        }
        listening.cancel()
        #expect(await listening.value == 1)
        try await server.remove()
    }
}
