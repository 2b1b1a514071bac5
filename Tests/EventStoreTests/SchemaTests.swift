import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("The log's schema")
struct SchemaTests {
    @Test("refuses to change what was recorded, to the owner and on every partition, at any privilege")
    func appendOnly() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { _ = try await $0.log.append(request("a-1", .none)) }
            for conninfo in [database.superuser, database.owner] {
                let connection = try await Connection.open(conninfo)
                for table in ["log.event", "log.event_0"] {
                    for change in ["UPDATE \(table) SET actor = 'x'", "DELETE FROM \(table)", "TRUNCATE \(table)"] {
                        let error = await #expect(throws: PostgresError.self) { try await connection.script(change) }
                        #expect(error?.code == "42501", "\(change)")
                        #expect(error?.message.contains("append-only") == true, "\(change)")
                    }
                }
                await connection.close()
            }
        }
    }

    @Test("lets the application read, append and nothing else")
    func privileges() async throws {
        try await withDatabase { database in
            for role in ["signalbox_append", "signalbox_project", "signalbox_audit"] {
                let connection = try await Connection.open(database.application, role: role)
                try await connection.run("SELECT count(*) FROM log.event")
                for change in [
                    "INSERT INTO log.event SELECT * FROM log.event", "DELETE FROM log.event", "TRUNCATE log.event",
                    "UPDATE log.stream SET least_version = 9", "DELETE FROM log.command",
                    "UPDATE log.work SET fence = 9",
                    "DELETE FROM log.claim", "SELECT log.erase(ARRAY[1]::bigint[])", "CREATE TABLE log.more (a int)",
                    "ALTER TABLE log.event DISABLE TRIGGER ALL",
                ] {
                    let error = await #expect(throws: PostgresError.self) { try await connection.script(change) }
                    #expect(error?.code == "42501", "\(role): \(change)")
                }
                await connection.close()
            }
        }
    }

    @Test("keeps payloads that were erased out of reach, and everything else as it was")
    func erasing() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                _ = try await running.log.append(request("a-1", .none, events: 2))
                let before = try await running.log.read(stream("a-1"), after: 0, limit: 9)
                let owner = try await Connection.open(database.owner)
                try await owner.run("SELECT log.erase(ARRAY[2]::bigint[])")
                await owner.close()
                var expected = before
                expected[1].payload = nil
                #expect(try await running.log.read(stream("a-1"), after: 0, limit: 9) == expected)
            }
        }
    }

    @Test("writes at READ COMMITTED only")
    func isolation() async throws {
        try await withDatabase { database in
            let connection = try await Connection.open(database.application, role: "signalbox_append")
            try await connection.script("BEGIN ISOLATION LEVEL REPEATABLE READ")
            let nothing = (1...45).map { _ in "'{}'" }.joined(separator: ", ")
            let error = await #expect(throws: PostgresError.self) {
                try await connection.script("SELECT log.append(0, false, true, \(nothing))")
            }
            #expect(error?.code == "25000")
            await connection.close()
        }
    }

    @Test("has two empty partitions ahead, and makes more as the log grows")
    func partitions() async throws {
        try await withDatabase { database in
            let connection = try await Connection.open(database.superuser)
            let count: SQL = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'log.event'::regclass"
            #expect(try await connection.run(count).value(Int64.self, row: 0, column: 0) == 3)
            try await connection.run(
                """
                INSERT INTO log.event (position, event_id, stream_id, version, type_id, schema_version, recorded_at, actor,
                    command_id, correlation_id, metadata, payload_hash, leaf)
                SELECT 16777217, gen_random_uuid(), 1, 1, 1, 1, now(), 'system', gen_random_uuid(), gen_random_uuid(), '{}',
                    sha256(''), ''
                """
            )
            #expect(try await connection.run("SELECT log.ensure_partitions()").value(Int.self, row: 0, column: 0) == 1)
            #expect(try await connection.run(count).value(Int64.self, row: 0, column: 0) == 4)
            await connection.close()
        }
    }

    @Test("refuses to write to a log that has lost what was seen")
    func lostTail() async throws {
        try await withDatabase { database in
            let connection = try await Connection.open(database.application, role: "signalbox_append")
            let nothing = (1...45).map { _ in "'{}'" }.joined(separator: ", ")
            let error = await #expect(throws: PostgresError.self) {
                try await connection.script("SELECT log.append(5, false, true, \(nothing))")
            }
            #expect(error?.code == "XX001")
            await connection.close()
        }
    }

    @Test("computes the leaf that Swift computes")
    func leaves() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let owner = OrganizationID(77)
                let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                for number in 0..<20 {
                    let odd = number.isMultiple(of: 2)
                    let causation = Causation(
                        actor: odd ? "user-\(number)" : "system",
                        command: IDSource.system.unique(),
                        cause: odd ? IDSource.system.unique() : nil,
                        correlation: odd ? nil : IDSource.system.unique(),
                        traceparent: odd ? trace : nil
                    )
                    let events = (0...number).map { event("thing.number-\($0)", #"{"ö":\#($0)}"#) }
                    _ = try await running.log.append(
                        AppendRequest(
                            causation: causation,
                            writes: [
                                StreamWrite(
                                    stream("a-\(number)"),
                                    organization: odd ? owner : nil,
                                    expecting: .none,
                                    events: events
                                )
                            ]
                        )
                    )
                }
                let stored = try await running.pool.with { connection throws(PostgresError) in
                    try connection.run("SELECT salt, payload_hash, leaf FROM log.event ORDER BY position")
                        .all([UInt8].self, [UInt8].self, [UInt8].self)
                }
                let page = try await running.log.read(after: 0, through: nil, matching: .everything, limit: 999)
                #expect(page.events.count == 210)
                for (event, (salt, hash, leaf)) in zip(page.events, stored) {
                    #expect(Leaf.payloadHash(salt: salt, payload: event.payload ?? []) == hash)
                    #expect(Leaf(event, payloadHash: hash).hash == leaf)
                }
                #expect(Set(stored.map(\.0)).count == 210)
            }
        }
    }

    @Test("shows the log to people with psql")
    func view() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                _ = try await running.log.append(request("a-1", .none))
                let (stream, type, data) = try await running.pool.with { connection throws(PostgresError) in
                    try connection.run("SELECT stream, type, data->>'a' FROM log.event_json").decode(
                        0,
                        String.self,
                        String.self,
                        String.self
                    )
                }
                #expect(stream == "a-1")
                #expect(type == "thing.happened")
                #expect(data == "1")
            }
        }
    }
}
