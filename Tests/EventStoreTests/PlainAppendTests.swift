import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("The short way into the log")
struct PlainAppendTests {
    @Test("leaves the rows that the long way leaves")
    func same() async throws {
        let requests = Self.requests()
        let short = try await rows(after: requests)
        // A second stream that is only looked at is what the short way does not do.
        let long = try await rows(
            after: requests[..<1]
                + requests[1...].map { request in
                    var request = request
                    request.writes.append(StreamWrite(stream("a-0"), expecting: .any))
                    return request
                }
        )
        #expect(short == long)
        #expect(short.count == 4 + 2 + 2)
    }

    @Test("refuses what the long way refuses, and answers a repeat")
    func refusals() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let made = request(
                    [StreamWrite(stream("a-1"), expecting: .none, events: [event()])],
                    command: command()
                )
                let first = try await running.log.append(made)
                let again = try await running.log.append(made)
                #expect(again.repeated == made.command?.answer)
                #expect(again.lastPosition == first.lastPosition)
                for expected: ExpectedVersion in [.none, .version(2)] {
                    await #expect(throws: AppendError.conflict(stream: stream("a-1"), expected: expected, actual: 1)) {
                        try await running.log.append(request("a-1", expected))
                    }
                }
                await #expect(throws: AppendError.conflict(stream: stream("a-2"), expected: .exists, actual: 0)) {
                    try await running.log.append(request("a-2", .exists))
                }
                var other = made
                other.command?.requestHash[0] ^= 1
                await #expect(throws: AppendError.commandReused) { try await running.log.append(other) }
                #expect(try await running.log.append(request("a-1", .exists)).versions == [stream("a-1"): 2])
            }
        }
    }

    /// The first event of its type and of the log, then a new stream, more of it, and an organization that becomes known with the second.
    private static func requests() -> [AppendRequest] {
        let (first, second) = (event(), [event(), event()])
        return [
            request("a-0", .none),
            request([StreamWrite(stream("a-1"), expecting: .none, events: [first])], command: command()),
            request(
                [StreamWrite(stream("a-1"), organization: OrganizationID(7), expecting: .version(1), events: second)],
                command: command(hash: 2, answer: "[]")
            ),
        ]
    }

    /// Everything that was written but chance and time, as text.
    private func rows(after requests: [AppendRequest]) async throws -> [String] {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                for request in requests { _ = try await running.log.append(request) }
            }
            let connection = try await Connection.open(database.superuser)
            let rows = try await connection.run(
                """
                SELECT (to_jsonb(e) - 'recorded_at' - 'salt' - 'payload_hash' - 'leaf')::text
                    || (payload_hash = sha256(salt || payload))::text || octet_length(leaf) FROM log.event AS e
                UNION ALL SELECT to_jsonb(s)::text FROM log.stream AS s WHERE s.name IN ('a-0', 'a-1')
                UNION ALL SELECT (to_jsonb(c) - 'recorded_at')::text FROM log.command AS c
                 ORDER BY 1
                """
            ).column(String.self)
            await connection.close()
            return rows
        }
    }
}
