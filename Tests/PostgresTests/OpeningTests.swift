import Glibc
import Postgres
import SignalboxTestKit
import Testing

@Suite("Opening a connection", .emptyDatabase)
struct OpeningTests {
    private var database: TestDatabase { get throws { try #require(TestDatabase.current) } }

    @Test("applies role, name and limits")
    func settings() async throws {
        let connection = try await Connection.open(
            database.superuser,
            role: "pg_monitor",
            applicationName: "opening",
            limits: SessionLimits(statement: .seconds(7), idleInTransaction: .seconds(9))
        )
        let row = try await connection.run(
            """
            SELECT current_user::text, current_setting('application_name'), current_setting('statement_timeout'),
                   current_setting('idle_in_transaction_session_timeout')
            """
        ).decode(0, String.self, String.self, String.self, String.self)
        #expect(row == ("pg_monitor", "opening", "7s", "9s"))
    }

    @Test("the connection string has the last word, as options or as a URI")
    func conninfo() async throws {
        let database = try database
        let key = try await Connection.open(database.superuser + " application_name=told")
        #expect(try await key.run("SHOW application_name").column(String.self) == ["told"])
        let folder = database.server.folder.replacing("/", with: "%2F")
        let uri = "postgresql://postgres@\(folder):\(database.server.port)/\(database.name)?application_name=uri"
        let connection = try await Connection.open(uri)
        #expect(try await connection.run("SHOW application_name").column(String.self) == ["uri"])
    }

    @Test("a server that accepts and says nothing is given up in time")
    func silent() async throws {
        var template = Array("/tmp/sbx-silent-XXXXXX".utf8CString)
        mkdtemp(&template)
        let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let path = folder + "/.s.PGSQL.5432"
        let handle = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer {
            Glibc.close(handle)
            unlink(path)
            rmdir(folder)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(handle, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        listen(handle, 8)
        let start = ContinuousClock.now
        let error = await #expect(throws: PostgresError.self) {
            try await Connection.open("host=\(folder) user=x", limits: SessionLimits(connect: .milliseconds(200)))
        }
        #expect(error?.kind == .unreachable)
        #expect(ContinuousClock.now - start < .seconds(5))
        let waiting = Task { _ = try await Connection.open("host=\(folder) user=x") }
        waiting.cancel()
        #expect(await #expect(throws: PostgresError.self) { try await waiting.value }?.kind == .cancelled)
    }

    @Test("says why, in a code, and never quotes the connection string")
    func refused() async throws {
        let server = try database.server
        let codes = [
            (server.conninfo(database: "nowhere"), "3D000"), (server.conninfo(user: "nobody_at_all"), "28000"),
            ("host=127.0.0.1 port=\(server.port) user=postgres dbname=postgres password=wrong", "28P01"),
            ("host=127.0.0.1 port=\(server.port) user=postgres dbname=postgres sslmode=require", ""),
            ("host=/nowhere user=postgres", ""), ("postgresql://user:hunter2@[broken", ""),
        ]
        for (conninfo, code) in codes {
            let error = await #expect(throws: PostgresError.self, "\(conninfo)") { try await Connection.open(conninfo) }
            #expect(error?.kind == .unreachable)
            #expect(error?.code == code)
            #expect(error?.debugDescription.contains("hunter2") == false)
        }
        let role = await #expect(throws: PostgresError.self) {
            try await Connection.open(server.conninfo(), role: "no_such_role")
        }
        #expect(role?.kind == .unreachable)
        #expect(role?.code == "22023")
    }
}
