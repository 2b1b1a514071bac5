import EventStore
import Glibc
import Kernel
import Postgres

/// A process that uses the log and says line by line what came of it, so that tests can kill it at any moment.
///
/// `LogWorker append` writes lanes of numbered events until it is killed and prints `ack <lane> <number> <position>` for
/// each. `LogWorker hold` takes leased work, writes under its fence and prints `ack <lane> <fence> <position>`, or
/// `fenced <lane> <fence>` once. Anything that should never happen is printed as `bug …`.
@main
enum LogWorker {
    static func main() async {
        let settings = Settings(CommandLine.arguments)
        let pool = Pool(conninfo: settings.conninfo, size: 2, role: "signalbox_append", applicationName: "worker")
        let log = await open(settings, pool)
        await withDiscardingTaskGroup { group in
            group.addTask { await log.run() }
            switch settings.mode {
            case .append:
                for (index, next) in settings.next.enumerated() {
                    let lane = Lane(name: "\(settings.name).\(index)", isClient: index.isMultiple(of: 2), log: log)
                    group.addTask { await lane.run(from: next) }
                }
            case .hold:
                group.addTask { await Holder(settings, log: log, queue: PostgresWorkQueue(pool: pool)).run() }
            }
        }
    }

    private static func open(_ settings: Settings, _ pool: Pool) async -> PostgresLog {
        while true {
            do throws(PostgresError) {
                return try await PostgresLog.open(
                    conninfo: settings.conninfo,
                    pool: pool,
                    durability: settings.durability,
                    patience: .seconds(2),
                    probe: Death.probe(at: settings.death)
                )
            } catch {
                await away()
            }
        }
    }

    /// Says that there was no database, and gives it a moment.
    ///
    /// Who reads us may be gone; writing is also how we find out, and end.
    static func away() async {
        say("away")
        // It cannot fail: nobody cancels this process's tasks.
        try? await Task.sleep(for: .milliseconds(20))
    }

    /// Prints a line at once, whole.
    static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(1, bytes, bytes.count)
    }
}

/// What the command line says.
struct Settings {
    enum Mode: String {
        case append, hold
    }

    var mode = Mode.append
    var conninfo = ""
    /// Tells the lanes of one process from those of another.
    var name = ""
    /// The next number of each lane.
    var next: [Int64] = []
    var durability = Durability.commit
    /// Where the process kills itself once it was sent SIGUSR1.
    var death: LogStep?

    /// - Precondition: They are well formed; only tests start this program.
    init(_ arguments: [String]) {
        guard arguments.count > 1, let mode = Mode(rawValue: arguments[1]) else {
            preconditionFailure("LogWorker append|hold --option value …")
        }
        self.mode = mode
        var rest = arguments.dropFirst(2)
        while let option = rest.popFirst(), let value = rest.popFirst() {
            switch option {
            case "--conninfo": conninfo = value
            case "--name": name = value
            case "--next": next = value.split(separator: ",").compactMap { Int64($0) }
            case "--durability": durability = Durability(rawValue: value) ?? .commit
            case "--die-at": death = LogStep(rawValue: value)
            default: preconditionFailure("no such option: \(option)")
            }
        }
    }
}
