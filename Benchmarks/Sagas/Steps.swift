internal import BenchmarkKit
internal import Glibc
internal import Kernel
internal import SignalboxTestKit
internal import Synchronization

/// What one step costs when it does nothing: a long saga against a short one.
struct Steps: Sendable {
    let database: TestDatabase

    func table(for time: Duration) async throws -> Table {
        var table = Table(
            title: "A step that does nothing",
            columns: ["", "per step", "wanted"]
        )
        let definition = NoOp.definition(steps: 50)
        let (elapsed, appends, calls, processor) = try await NoOp.running(in: database, [definition], parallel: 4) {
            bench in
            try await bench.saga(definition)
            let end = ContinuousClock.now + time
            var (sagas, elapsed) = (0, Duration.zero)
            let before = (bench.log.appends.load(ordering: .relaxed), bench.log.reads.load(ordering: .relaxed))
            let usage = Usage.ofProcess()
            while ContinuousClock.now < end {
                let start = ContinuousClock.now
                try await bench.saga(definition)
                elapsed += ContinuousClock.now - start
                sagas += 1
            }
            let count = Double(sagas * 50)
            let appends = Double(bench.log.appends.load(ordering: .relaxed) - before.0)
            let reads = Double(bench.log.reads.load(ordering: .relaxed) - before.1)
            return (
                elapsed.inSeconds * 1000 / count, appends / count, (appends + reads) / count,
                (Usage.ofProcess() - usage) * 1000 / count
            )
        }
        table.rows = [
            ["time from one step to the next, ms", Table.decimal(elapsed, 3), "≤ 0.5"],
            ["of it processor time in our process, ms", Table.decimal(processor, 3), ""],
            ["appends, 50 steps with beginning and end", Table.decimal(appends, 2), "1"],
            ["appends and reads", Table.decimal(calls, 2), ""],
        ]
        return table
    }
}

/// Processor time, in seconds.
enum Usage {
    static func ofProcess() -> Double {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        let parts = [usage.ru_utime, usage.ru_stime]
        return parts.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }
}
