internal import ArgumentParser
internal import SignalboxTestKit

/// Measures the log beside its peers, on one server and in one run.
@main
struct LogBenchmark: AsyncParsableCommand {
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

    @Option(help: "Only contenders whose name contains this, and their peers.")
    var only: String?

    func run() async throws {
        let time = Duration.seconds(quick ? 3 : seconds)
        let turns = quick ? 2 : rounds
        let server = try await PostgresServer.start(durable: true, settings: Self.settings)
        let database = try await server.makeDatabase(.migrated)
        let peer = try await PgBench.prepare(in: database)
        let appends = Appends(database: database)
        let one = PgBench.name(clients: 1, .prepared)
        let many = PgBench.name(clients: 32, .prepared)
        let batches = PgBench.name(clients: 2, rows: 100, .prepared)
        let contest = Contest(
            title: "Durable appends",
            contenders: [
                peer.contender(clients: 1, .simple),
                peer.contender(clients: 1, .prepared),
                appends.contender(callers: 1, against: one, goal: 0.6),
                peer.contender(clients: 32, .simple),
                peer.contender(clients: 32, .prepared),
                appends.contender(callers: 8, against: many, goal: nil),
                appends.contender(callers: 64, against: many, goal: 1.2),
                peer.contender(clients: 2, rows: 100, .prepared),
                appends.contender(callers: 2, size: 100, against: batches, goal: 0.5),
                appends.contender(callers: 8, size: 100, against: batches, goal: 0.5),
            ]
        )
        print(try await contest.keeping(only).run(rounds: turns, time: time).text)
        peer.remove()
        try await server.remove()
    }

    /// Nothing that makes a commit less durable; room enough that no checkpoint falls into a short turn.
    static let settings = [
        "shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min", "wal_level": "replica",
        "max_wal_senders": "2",
    ]
}
