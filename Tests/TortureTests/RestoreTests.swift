import EventStore
import Glibc
import Kernel
import Postgres
import SignalboxTestKit
import Subprocess
import SystemPackage
import Testing

extension Torture {
    @Suite("A dump is restored into another cluster")
    struct Restores {
        @Test("subscribers and writers go on where they were")
        func restore() async throws {
            let (source, target) = (try await PostgresServer.start(), try await PostgresServer.start())
            let old = try await source.makeDatabase(.migrated)
            // The roles come with the first database of a cluster.
            _ = try await target.makeDatabase(.migrated)
            let new = try await target.makeDatabase(.empty)
            let repeated = request(
                [StreamWrite(stream("lane-c"), expecting: .none, events: [event()])],
                command: command()
            )
            var checkpoint: Int64 = 0
            var dumped: [RecordedEvent] = []
            try await withLog(in: old, durability: .pipelined) { running in
                for number in 0..<500 {
                    _ = try await running.log.append(request("lane-\(number % 5)", .version(Int64(number / 5))))
                }
                _ = try await running.log.append(repeated)
                checkpoint = try await running.log.read(after: 0, through: nil, matching: .everything, limit: 200)
                    .scannedTo
                // Somebody writes all the while; what the dump has of it is a prefix.
                let isOver = Bell()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        while isOver.count == 0 { _ = try await running.log.append(request("lane-live")) }
                    }
                    try await Self.copy(old, to: new)
                    isOver.ring()
                    try await group.waitForAll()
                }
                dumped = try await running.log.everything()
            }
            try await Self.goOn(new, checkpoint, dumped, repeated)
            try await source.remove()
            try await target.remove()
        }

        private static func goOn(
            _ database: TestDatabase,
            _ checkpoint: Int64,
            _ dumped: [RecordedEvent],
            _ repeated: AppendRequest
        ) async throws {
            try await withLog(in: database, durability: .pipelined) { running in
                let kept = try await running.log.everything()
                #expect(kept.count >= 501)
                #expect(kept == Array(dumped.prefix(kept.count)))
                let more = 50
                try await withThrowingTaskGroup(of: Void.self) { group in
                    let (end, first) = (Int64(kept.count + more), checkpoint)
                    group.addTask {
                        // The subscriber, live: it waits for what comes after the dump.
                        let follower = LogFollower(log: running.log, bell: running.log.bell)
                        var position = first
                        while position < end {
                            let page = try await follower.next(after: position)
                            #expect(page.scannedFrom == position + 1)
                            #expect(page.events.map(\.position) == Array(page.scannedFrom...page.scannedTo))
                            position = page.scannedTo
                        }
                    }
                    group.addTask {
                        for number in 0..<Int64(more) {
                            // Streams go on at the version they had.
                            let wish = request("lane-\(number % 5)", .version(100 + number / 5))
                            _ = try await running.log.append(wish)
                        }
                    }
                    try await group.waitForAll()
                }
                let again = try await running.log.append(repeated)
                #expect(again.repeated == repeated.command?.answer)
                #expect(again.firstPosition == 501)
            }
        }

        private static func copy(_ old: TestDatabase, to new: TestDatabase) async throws {
            let file = old.server.folder + "/dump.sql"
            try await run("pg_dump", ["--dbname", old.superuser, "--file", file])
            try await run("psql", ["--dbname", new.superuser, "--file", file, "-qX", "--set", "ON_ERROR_STOP=1"])
            unlink(file)
            // A dump does not hold the rights on the database itself.
            let connection = try await Connection.open(new.superuser)
            try await connection.script(Schema.roles?.text ?? "")
            await connection.close()
        }

        private static func run(_ program: String, _ arguments: [String]) async throws {
            let result = try await Subprocess.run(
                .path(FilePath("\(try PostgresServer.binaries())/\(program)")),
                arguments: Arguments(arguments),
                environment: .custom(["LC_ALL": "C", "PATH": "/usr/bin:/bin"]),
                output: .discarded,
                error: .string(limit: 64 << 10)
            )
            try #require(result.terminationStatus.isSuccess, "\(program): \(result.standardError)")
        }
    }
}
