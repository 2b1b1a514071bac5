internal import ArgumentParser
internal import BenchmarkKit
internal import SignalboxTestKit

/// Measures the engine of sagas beside its peer, on one server and in one run.
@main
struct SagaBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "saga-benchmark",
        abstract: "Measures the engine of sagas beside its peer, on one server and in one run."
    )

    @Option(help: "How long each turn is, in seconds.")
    var seconds = 10

    @Option(help: "How many turns everybody has; the median counts.")
    var rounds = 5

    @Flag(help: "Short turns and few of them: to see a change while working, not to be published.")
    var quick = false

    @Option(help: "How many sagas wait while claims and the idle engine are measured.")
    var waiting = 100_000

    @Option(help: "A Python that has the library dbos; without it the peer is left out.")
    var python: String?

    private var time: Duration { .seconds(quick ? 3 : seconds) }
    private var turns: Int { quick ? 2 : rounds }

    func run() async throws {
        let server = try await PostgresServer.start(durable: true, settings: Machine.settings)
        print(try await Machine(server: server).facts())
        print("- \(turns) turns of \(time), in turn; the median counts\n")
        try await contest(server)
        print(try await Steps(database: try await server.makeDatabase(.migrated)).table(for: time).text)
        print(try await Waiting(database: try await server.makeDatabase(.migrated)).table(waiting, for: time * 2).text)
        try await server.remove()
    }

    /// Three steps that do nothing, one saga at a time and 32 at once.
    private func contest(_ server: PostgresServer) async throws {
        let sagas = Sagas(database: try await server.makeDatabase(.migrated))
        let peer = try await python.asyncMap { try await DBOSPeer.prepare(on: server, python: $0) }
        var samples: [String: [Sample]] = [:]
        for round in 1...turns {
            for count in [1, 32] {
                if let peer {
                    Progress.say("round \(round) of \(turns): DBOS, \(count) at once")
                    samples["DBOS: \(count)", default: []].append(try await peer.measure(atOnce: count, for: time))
                }
                Progress.say("round \(round) of \(turns): Signalbox, \(count) at once")
                samples["Signalbox: \(count)", default: []].append(try await sagas.measure(atOnce: count, for: time))
            }
        }
        Progress.clear()
        var table = Table(
            title: "Sagas of three steps that do nothing",
            columns: ["", "sagas/s", "min", "max", "p50 ms", "p99 ms", "of peer", "wanted"]
        )
        for (count, goal) in [(1, 5), (32, 6)] {
            let peers = (samples["DBOS: \(count)"] ?? []).map(\.rate)
            if let found = samples["DBOS: \(count)"] { table.rows.append(row("DBOS 3.4: \(count) at once", found)) }
            let found = samples["Signalbox: \(count)"] ?? []
            var mine = row("Signalbox: \(count) at once", found)
            if peers.median > 0 {
                mine[6] = Table.decimal(found.map(\.rate).median / peers.median, 2) + "×"
                mine[7] = "≥ \(goal)×"
            }
            table.rows.append(mine)
        }
        print(table.text)
    }

    private func row(_ name: String, _ samples: [Sample]) -> [String] {
        let rates = samples.map(\.rate)
        let latency = { (share: Double) in
            Table.decimal(samples.compactMap { $0.latency(share) }.map { Double($0) / 1000 }.median, 2)
        }
        return [
            name, Table.whole(rates.median), Table.whole(rates.min() ?? 0), Table.whole(rates.max() ?? 0),
            latency(0.5), latency(0.99), "", "",
        ]
    }
}

extension Optional {
    fileprivate func asyncMap<Value>(_ body: (Wrapped) async throws -> Value) async rethrows -> Value? {
        guard let self else { return nil }
        return try await body(self)
    }
}
