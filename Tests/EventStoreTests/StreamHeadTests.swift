import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import EventStore

/// The row of a stream is touched once in a window of positions; its version is that of its newest event.
@Suite("Versions of streams")
struct StreamHeadTests {
    @Test("are the true ones whenever a stream was written last: in this window, over its border, long ago, in a file")
    func judged() async throws {
        try await ArchiveStage.with(width: 40, events: 0) { stage in
            var versions: [String: Int64] = [:]
            for turn in 0..<240 {
                // Five are written several times in a window, then left alone for some, while the others are.
                let name = "a-\(turn / 30 % 2 * 5 + turn * 7 % 5)"
                let known = versions[name] ?? 0
                let size = 1 + turn * 11 % 6
                // Alone it goes to log.append_one, with another beside it in one request to log.append.
                let expected: [ExpectedVersion] = [.version(known), known > 0 ? .exists : .none, .any]
                var writes = [write(name, expected[turn % 3], size)]
                if turn % 4 < 2 { writes.append(write("b-\(turn)", .none, 1)) }
                let wrong = request([write(name, .version(known + 1), 1)])
                let refused = await #expect(throws: AppendError.self) { try await stage.log.append(wrong) }
                #expect(refused == .conflict(stream: stream(name), expected: .version(known + 1), actual: known))
                let appended = try await stage.log.append(request(writes))
                #expect(appended.versions[stream(name)] == known + Int64(size))
                versions[name] = known + Int64(size)
                try await stage.partition()
                if turn == 120 { try await stage.detach(through: 300) }
            }
            #expect(try await stage.partitions().first != "event_0")
            let connection = try await Connection.open(stage.database.superuser)
            let told = try await connection.run(
                "SELECT name, version FROM log.stream_head WHERE category = 'a' ORDER BY name"
            ).all(String.self, Int64.self)
            #expect(Dictionary(uniqueKeysWithValues: told) == versions)
            await connection.close()
        }
    }

    @Test("an archived stream goes on where it ended, although none of its events is in the log any more")
    func archived() async throws {
        try await ArchiveStage.with(width: 10, events: 0) { stage in
            for version in 0..<3 { _ = try await stage.log.append(request("old-1", .version(Int64(version)))) }
            for number in 0..<30 {
                _ = try await stage.log.append(request("new-\(number)", .none))
                try await stage.partition()
            }
            try await stage.detach(through: 30)
            let error = await #expect(throws: AppendError.self) {
                try await stage.log.append(request("old-1", .version(1)))
            }
            #expect(error == .conflict(stream: stream("old-1"), expected: .version(1), actual: 3))
            #expect(try await stage.log.append(request("old-1", .version(3))).versions == [stream("old-1"): 4])
            #expect(try await stage.log.read(stream("old-1"), after: 0, limit: 9).map(\.version) == [1, 2, 3, 4])
        }
    }

    @Test("appends within a window leave the row of a stream as it is", arguments: [1, 2])
    func untouched(requests: Int) async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let connection = try await Connection.open(database.superuser)
                func rows() async throws -> [String] {
                    try await connection.run("SELECT (ctid, xmin, s)::text FROM log.stream AS s ORDER BY name")
                        .column(String.self)
                }
                func append(_ version: Int64) async throws {
                    let writes = (0..<requests).map { write("a-\($0)", .version(version), 1) }
                    _ = try await running.log.append(request(writes))
                }
                try await append(0)
                let before = try await rows()
                #expect(before.count == requests)
                for version in 1...5 { try await append(Int64(version)) }
                #expect(try await rows() == before)
                await connection.close()
            }
        }
    }

    private func write(_ name: String, _ expected: ExpectedVersion, _ size: Int) -> StreamWrite {
        StreamWrite(stream(name), expecting: expected, events: (0..<size).map { event("thing.number-\($0)", "{}") })
    }
}
