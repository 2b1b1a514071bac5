internal import BenchmarkKit
internal import FoundationEssentials
internal import Kernel
internal import Projections
internal import SignalboxTestKit

/// How much memory a rebuild holds at most, and whether that grows with the log.
///
/// Each one has a process of its own, because what a process has held once is seen in it for ever.
struct RebuildMemory: Sendable {
    /// What every one of them has to stay below.
    private static let most = 512.0
    private static let deed = ProjectionDeed(actor: "operator-1", reason: "a measurement", command: UniqueID(1))

    let rebuilds: Rebuilds

    /// One row for each number of events, smallest first.
    func table() async throws -> Table {
        var table = Table(
            title: "Memory of a rebuild of instances, 2 workers",
            columns: ["events", "events/s", "peak MiB", "wanted"]
        )
        let all = rebuilds.events
        for events in [all / 100, all / 10, all] {
            Progress.say("Memory: a rebuild of \(events) events")
            let told = try await Tool.run(
                CommandLine.arguments[0],
                ["--rebuild-until", "\(events)", "--conninfo", rebuilds.database.application]
            )
            let parts = told.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
            guard parts.count == 2 else { throw BenchmarkError("a rebuild says: \(told)") }
            table.rows.append([
                Table.whole(Double(events)), Table.whole(parts[0]), Table.whole(parts[1]),
                "< \(Table.whole(Self.most))",
            ])
        }
        Progress.clear()
        return table
    }

    /// Rebuilds once, and says events per second and the peak of the resident set in MiB: what the process of its own does.
    static func measure(until events: Int64, conninfo: String) async throws -> String {
        let sample = try await Rebuilds.withRunner(conninfo) { desk, runner, _ in
            try await runner.prepare()
            let start = ContinuousClock.now
            let build = try await desk.rebuild("instances", RebuildOrder(until: events), by: deed).build
            guard await runner.driveRebuild() else { throw BenchmarkError("there is no rebuild to drive") }
            let state = try await desk.newest("instances")
            guard state.phase == .held, state.events == events else {
                throw BenchmarkError("\(state.phase) after \(state.events) events: \(state.error ?? "")")
            }
            let elapsed = ContinuousClock.now - start
            try await desk.cancel("instances", build: build, by: deed)
            return Sample(events: Int(events), elapsed: elapsed)
        }
        let status = String(decoding: try Data(contentsOf: URL(filePath: "/proc/self/status")), as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        guard let peak = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Double($0) }) else {
            throw BenchmarkError("the kernel does not say how much memory there was")
        }
        return "\(sample.rate) \(peak / 1024)"
    }
}
