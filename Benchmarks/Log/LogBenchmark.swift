internal import ArgumentParser
internal import BenchmarkKit
internal import EventStore
internal import Kernel
internal import SignalboxTestKit

/// Measures the log beside its peers, on one server and in one run.
@main
struct LogBenchmark: AsyncParsableCommand {
    /// What can be measured.
    enum Part: String, CaseIterable, ExpressibleByArgument {
        case appends
        case reads
        case snapshot
        case storage
        case rebuilds
    }

    static let configuration = CommandConfiguration(
        commandName: "log-benchmark",
        abstract: "Measures the log beside its peers, on one server and in one run."
    )

    @Option(help: "How long each turn is, in seconds.")
    var seconds = 10

    @Option(help: "How many turns everybody has; the median counts.")
    var rounds = 5

    @Flag(help: "Short turns and few of them: to see a change while working, not to be published.")
    var quick = false

    @Option(parsing: .upToNextOption, help: "What to measure.")
    var parts = Part.allCases

    @Option(help: "Only contenders whose name contains this, and their peers.")
    var only: String?

    @Option(help: "A Python that has the library eventsourcing; without it that peer is left out.")
    var python: String?

    @Option(help: "How many events are rebuilt from.")
    var events: Int?

    @Option(help: .hidden)
    var rebuildUntil: Int64?

    @Option(help: .hidden)
    var conninfo = ""

    private var time: Duration { .seconds(quick ? 3 : seconds) }
    private var turns: Int { quick ? 2 : rounds }

    func run() async throws {
        if let rebuildUntil {
            return print(try await RebuildMemory.measure(until: rebuildUntil, conninfo: conninfo))
        }
        let server = try await PostgresServer.start(durable: true, settings: Machine.settings)
        print(try await Machine(server: server).facts())
        print("- \(turns) turns of \(time), in turn; the median counts\n")
        let database = try await server.makeDatabase(.migrated)
        if parts.contains(.appends) { try await appends(database) }
        if parts.contains(.snapshot) {
            try await show(HeldSnapshot(server: server).contest, time: quick ? .seconds(6) : time * 4)
        }
        if parts.contains(.reads) { try await reads(try await server.makeDatabase(.migrated)) }
        if parts.contains(.storage) { try await storage(database) }
        if parts.contains(.rebuilds) { try await rebuilds(try await server.makeDatabase(.migrated)) }
        try await server.remove()
    }

    private func show(_ contest: Contest, time: Duration) async throws {
        let contest = contest.keeping(only)
        guard !contest.contenders.isEmpty else { return }
        print(try await contest.run(rounds: turns, time: time).text)
    }

    private func appends(_ database: TestDatabase) async throws {
        let peer = try await PgBench.prepare(in: database)
        let commit = Appends(database: database, durability: .commit)
        let pipelined = Appends(database: database, durability: .pipelined)
        let one = PgBench.name(clients: 1, .prepared)
        let many = PgBench.name(clients: 32, .prepared)
        let hundred = PgBench.name(clients: 2, rows: 100, .prepared)
        var contenders = [
            peer.contender(clients: 1, .simple),
            peer.contender(clients: 1, .prepared),
            commit.contender(callers: 1, against: one, goal: 0.6),
            pipelined.contender(callers: 1, against: one, goal: 0.6),
            peer.contender(clients: 32, .simple),
            peer.contender(clients: 32, .prepared),
            commit.contender(callers: 8, against: many, goal: nil),
            pipelined.contender(callers: 8, against: many, goal: nil),
            commit.contender(callers: 64, against: many, goal: 1.2),
            pipelined.contender(callers: 64, against: many, goal: 1.2),
            peer.contender(clients: 2, rows: 100, .prepared),
            commit.contender(callers: 2, size: 100, against: hundred, goal: 0.5),
            pipelined.contender(callers: 2, size: 100, against: hundred, goal: 0.5),
            commit.contender(callers: 8, size: 100, against: hundred, goal: 0.5),
            pipelined.contender(callers: 8, size: 100, against: hundred, goal: 0.5),
        ]
        if let python {
            let library = try await EventSourcing.prepare(on: database.server, python: python)
            contenders += [
                library.contender(threads: 1), library.contender(threads: 8), library.contender(threads: 1, size: 100),
            ]
        }
        try await show(Contest(title: "Durable appends", contenders: contenders), time: time)
        peer.remove()
    }

    private func reads(_ database: TestDatabase) async throws {
        let reads = try await Reads.prepare(in: database, events: quick ? 200_000 : 1_000_000)
        let peer = reads.copy("binary")
        let contenders = [
            peer, reads.copy("text"),
            reads.log(page: 1000, against: peer.name, goal: 0.7), reads.log(page: 5000, against: peer.name, goal: 0.7),
        ]
        try await show(Contest(title: "Catch-up reads of \(reads.end) events", contenders: contenders), time: time)
    }

    private func rebuilds(_ database: TestDatabase) async throws {
        let wanted = events ?? (quick ? 100_000 : 1_000_000)
        let rebuilds = try await Rebuilds.prepare(in: database, events: wanted)
        if only == nil { print(try await RebuildMemory(rebuilds: rebuilds).table().text) }
        var contenders = [
            rebuilds.aggregate(), rebuilds.rebuild(parallel: 1, goal: nil), rebuilds.rebuild(parallel: 2, goal: nil),
        ]
        if let python {
            let library = try await EventSourcing.prepare(on: database.server, python: python, named: "reading")
            contenders.append(library.reader(of: rebuilds.events))
        }
        try await show(Contest(title: "Rebuilds from \(rebuilds.events) events", contenders: contenders), time: time)
        try await show(Contest(title: "How long until it is seen", contenders: [rebuilds.lag()]), time: time)
    }

    private func storage(_ database: TestDatabase) async throws {
        let storage = Storage(database: database)
        let single = try await storage.wal(of: Load(callers: 64, size: 1), for: time)
        let batch = try await storage.wal(of: Load(callers: 2, size: 100), for: time)
        for table in try await storage.tables() { print(table.text) }
        print(
            "Write-ahead log per event: \(Table.whole(single)) bytes with 64 × 1 event, \(Table.whole(batch)) with 2 × 100."
        )
    }
}
