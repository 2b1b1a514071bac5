import EventStore
import Glibc
import Kernel
import Logging
import Postgres
import Projections

/// A process that feeds a read model of counts with others, so that tests can kill it at any moment.
///
/// `ProjectionWorker --conninfo … --name …` feeds until it is killed. It says `alive` again and again: when nobody reads
/// that any more, the writing ends it.
@main
enum ProjectionWorker {
    static func main() async throws {
        let arguments = CommandLine.arguments
        func setting(_ name: String) -> String {
            guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else {
                preconditionFailure("ProjectionWorker --conninfo … --name …")
            }
            return arguments[index + 1]
        }
        let conninfo = setting("--conninfo")
        let append = Pool(conninfo: conninfo, size: 2, role: "signalbox_append", applicationName: "feeder")
        let project = Pool(conninfo: conninfo, size: 3, role: "signalbox_project", applicationName: "feeder")
        let log = try await PostgresLog.open(
            conninfo: conninfo,
            pool: append,
            durability: .commit,
            patience: .seconds(2)
        )
        let runner = ProjectionRunner(
            pool: project,
            log: log,
            work: PostgresWorkQueue(pool: append),
            feed: LogFollower(log: log, bell: log.bell).feed,
            owner: "\(setting("--name"))-\(getpid())",
            projections: [Counts.self],
            // Pages are small, so that a kill finds one of them half written.
            settings: .init(lease: .seconds(1), patrol: .milliseconds(50), pageLimit: 7, slices: 4),
            logger: Logger(label: "feeder") { _ in SwiftLogNoOpLogHandler() }
        )
        await withDiscardingTaskGroup { group in
            group.addTask { await log.run() }
            group.addTask { await runner.run() }
            group.addTask {
                while true {
                    let bytes = Array("alive\n".utf8)
                    _ = write(1, bytes, bytes.count)
                    // It cannot fail: nobody cancels this process's tasks.
                    try? await Task.sleep(for: .milliseconds(500))
                }
            }
        }
    }
}

/// How many events of each organization were folded: folded twice or left out, an event shows.
enum Counts: Projection {
    struct Row: Codable, Equatable, Sendable {
        var id: String
        var count: Int
    }

    /// Only what has a file can have tables; this one's columns fit.
    static let name = "rollouts"
    static let shape = 1
    static let reads: Set<String> = ["organization.renamed"]

    static func key(of entry: Entry) -> String? { entry.record.organization?.description }

    static func fold(into row: inout Row?, _ entry: Entry) {
        guard let id = key(of: entry) else { return }
        row = Row(id: id, count: (row?.count ?? 0) + 1)
    }
}
