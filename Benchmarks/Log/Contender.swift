internal import BenchmarkKit

/// Something that writes or reads events as fast as it can.
struct Contender: Sendable {
    /// What the table calls it.
    let name: String
    /// The contender it is compared with; itself a peer when `nil`.
    var against: String?
    /// How many times the peer's rate it should reach.
    var goal: Double?
    let run: @Sendable (Duration) async throws -> Sample

    init(
        _ name: String,
        against: String? = nil,
        goal: Double? = nil,
        run: @escaping @Sendable (Duration) async throws -> Sample
    ) {
        self.name = name
        self.against = against
        self.goal = goal
        self.run = run
    }
}

/// Contenders that take turns, A B C A B C, so that a slow minute of the machine hits all of them.
struct Contest {
    let title: String
    let contenders: [Contender]

    /// The same without those whose name does not contain a text and whom nobody left is compared with.
    func keeping(_ text: String?) -> Contest {
        guard let text else { return self }
        let chosen = contenders.filter { $0.name.contains(text) }
        let names = Set(chosen.map(\.name) + chosen.compactMap(\.against))
        return Contest(title: title, contenders: contenders.filter { names.contains($0.name) })
    }

    /// Lets everybody have a turn in every round.
    ///
    /// - Parameters:
    ///   - rounds: How often each has its turn.
    ///   - time: How long a turn is.
    /// - Returns: The table, with the median of each contender's rates.
    /// - Throws: What a contender throws.
    func run(rounds: Int, time: Duration) async throws -> Table {
        var samples: [String: [Sample]] = [:]
        for round in 1...rounds {
            for contender in contenders {
                Progress.say("\(title), round \(round) of \(rounds): \(contender.name)")
                samples[contender.name, default: []].append(try await contender.run(time))
            }
        }
        Progress.clear()
        var table = Table(
            title: title,
            columns: ["", "events/s", "min", "max", "p50 ms", "p99 ms", "of peer", "wanted", "peer"]
        )
        for contender in contenders {
            let mine = samples[contender.name] ?? []
            let rates = mine.map(\.rate)
            let peer = contender.against.map { name in (samples[name] ?? []).map(\.rate).median }
            table.rows.append([
                contender.name, Table.whole(rates.median), Table.whole(rates.min() ?? 0), Table.whole(rates.max() ?? 0),
                Self.milliseconds(mine, 0.5), Self.milliseconds(mine, 0.99),
                peer.map { Table.decimal(rates.median / $0, 2) + "×" } ?? "",
                contender.goal.map { "≥ " + Table.decimal($0, 1) + "×" } ?? "",
                contender.against ?? "",
            ])
        }
        return table
    }

    private static func milliseconds(_ samples: [Sample], _ share: Double) -> String {
        let values = samples.compactMap { $0.latency(share) }.map { Double($0) / 1000 }
        return values.isEmpty ? "" : Table.decimal(values.median, 2)
    }
}
