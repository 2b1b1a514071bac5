import Postgres
import SignalboxTestKit
import Testing

@Suite("COPY", .emptyDatabase)
struct CopyTests {
    private func open() async throws -> Connection {
        let connection = try await Connection.open(try #require(TestDatabase.current).superuser)
        try await connection.script("CREATE TEMPORARY TABLE t (id bigint PRIMARY KEY, name text, data bytea)")
        return connection
    }

    @Test("rows go in, in binary, NULL too")
    func binaryIn() async throws {
        let connection = try await open()
        var rows = BinaryRows()
        rows.add(Int64(1), "one", [UInt8]([0, 255]))
        rows.add(Int64(2), String?.none, [UInt8]?.some([]))
        #expect(try await connection.copyIn("COPY t FROM STDIN (FORMAT binary)", rows) == 2)
        let read = try await connection.run("SELECT id, name, data FROM t ORDER BY id")
            .all(Int.self, String?.self, [UInt8].self)
        #expect(read.map(\.0) == [1, 2])
        #expect(read.map(\.1) == ["one", nil])
        #expect(read.map(\.2) == [[0, 255], []])
    }

    @Test("many megabytes go in and come out in pieces")
    func large() async throws {
        let connection = try await open()
        let count = 200_000
        let sum = try await copyAndSum(count, on: connection)
        #expect(sum == (count, count * (count - 1) / 2))
    }

    private func copyAndSum(_ count: Int, on connection: isolated Connection) throws -> (Int, Int) {
        var next = 0
        let copied = try connection.copyIn("COPY t FROM STDIN") { () throws(PostgresError) in
            guard next < count else { return nil }
            var text = ""
            for id in next..<min(next + 1000, count) {
                text += "\(id)\tname of \(id), and some more of it\t\\\\x00ff\n"
            }
            next += 1000
            return Array(text.utf8)
        }
        var sum = 0
        try connection.copyOut("COPY (SELECT id FROM t) TO STDOUT") { row throws(PostgresError) in
            sum += Int(String(decoding: row, as: UTF8.self).dropLast()) ?? 0
        }
        return (copied, sum)
    }

    @Test("a refusal half-way copies nothing and leaves the session usable")
    func refused() async throws {
        let connection = try await open()
        let bytes = Array("1\ta\t\\N\nx\tb\t\\N\n".utf8)
        let error = await #expect(throws: PostgresError.self) { try await feed(bytes, to: connection) }
        #expect(error?.code == "22P02")
        #expect(try await connection.run("SELECT id FROM t").count == 0)
    }

    private func feed(_ bytes: [UInt8], to connection: isolated Connection) throws(PostgresError) {
        var parts = [bytes]
        try connection.copyIn("COPY t FROM STDIN") { () throws(PostgresError) in parts.popLast() }
    }

    @Test("a source that gives up copies nothing and is heard")
    func sourceFails() async throws {
        let connection = try await open()
        let cause = PostgresError(.shape, message: "no more")
        let error = await #expect(throws: PostgresError.self) { try await giveUp(cause, on: connection) }
        #expect(error == cause)
        #expect(try await connection.run("SELECT id FROM t").count == 0)
    }

    private func giveUp(_ cause: PostgresError, on connection: isolated Connection) throws(PostgresError) {
        var first = true
        try connection.copyIn("COPY t FROM STDIN") { () throws(PostgresError) in
            guard first else { throw cause }
            first = false
            return Array("1\ta\t\\N\n".utf8)
        }
    }

    @Test("a reader that has had enough stops the server and keeps the session")
    func readerStops() async throws {
        let connection = try await open()
        let cause = PostgresError(.shape, message: "enough")
        let error = await #expect(throws: PostgresError.self) { try await stop(cause, on: connection) }
        #expect(error == cause)
        #expect(try await connection.run("SELECT 1").column(Int.self) == [1])
    }

    private func stop(_ cause: PostgresError, on connection: isolated Connection) throws(PostgresError) {
        var rows = 0
        try connection.copyOut("COPY (SELECT generate_series(1, 1000000000)) TO STDOUT") { _ throws(PostgresError) in
            rows += 1
            if rows == 1000 { throw cause }
        }
    }

    @Test("what is no COPY is refused, and a COPY run as a statement ends the session")
    func misuse() async throws {
        let connection = try await open()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.copyOut("SELECT 1") { _ throws(PostgresError) in }
        }
        #expect(error?.kind == .shape)
        let undefined = await #expect(throws: PostgresError.self) {
            try await connection.copyOut("COPY nowhere TO STDOUT") { _ throws(PostgresError) in }
        }
        #expect(undefined?.isUndefined == true)
        let lost = await #expect(throws: PostgresError.self) { try await connection.script("COPY t FROM STDIN") }
        #expect(lost?.kind == .lost)
    }
}
