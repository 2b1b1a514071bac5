import EventStore
import Kernel
import Logging
import Postgres
import SignalboxTestKit

@testable import Projections

/// A database with a log, and everything that feeds and asks read models there.
struct Stage {
    let database: TestDatabase
    let log: PostgresLog
    let work: PostgresWorkQueue
    /// Connections as the owner of the read models.
    let pool: Pool
    let readModels: ReadModels

    /// Where a test expects nothing of interest.
    static let silence = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs `body` with a fresh one.
    static func with(_ body: (Stage) async throws -> Void) async throws {
        try await withDatabase { database in
            let append = Pool(conninfo: database.application, size: 4, role: "signalbox_append")
            let project = Pool(conninfo: database.application, size: 4, role: "signalbox_project")
            let log = try await PostgresLog.open(conninfo: database.application, pool: append)
            let stage = Stage(
                database: database,
                log: log,
                work: PostgresWorkQueue(pool: append),
                pool: project,
                readModels: ReadModels(pool: project, logger: Self.silence)
            )
            try await withThrowingTaskGroup { group in
                group.addTask { await log.run() }
                try await body(stage)
                log.close()
            }
            await append.close()
            await project.close()
        }
    }

    /// A runner of this database.
    func runner(
        _ owner: String,
        of projections: [any Projection.Type] = Registry.all,
        lease: Duration = .seconds(2),
        pageLimit: Int = 5000,
        feed: EventFeed? = nil,
        log other: (any EventLog)? = nil,
        slices: Int = 4,
        rebuild: RebuildSettings = RebuildSettings(),
        logger: Logger = Stage.silence
    ) -> ProjectionRunner {
        ProjectionRunner(
            pool: pool,
            log: other ?? log,
            work: work,
            feed: feed ?? LogFollower(log: log, bell: log.bell).feed,
            owner: owner,
            projections: projections,
            settings: .init(
                lease: lease,
                patrol: .milliseconds(50),
                pageLimit: pageLimit,
                slices: slices,
                rebuild: rebuild
            ),
            logger: logger
        )
    }

    /// Runs a runner for as long as `body` lasts, then has it stop in good order.
    ///
    /// The tables are there when `body` begins, so that it may read before anything was fed.
    func running(_ runner: ProjectionRunner, _ body: () async throws -> Void) async throws {
        try await runner.prepare()
        try await withThrowingTaskGroup { group in
            group.addTask { await runner.run() }
            try await body()
            group.cancelAll()
        }
    }

    /// Writes the events of a story, which thereby get the positions they have there.
    func append(_ events: some Sequence<RecordedEvent>) async throws {
        for event in events {
            let fact = NewEvent(id: event.id, type: event.type, payload: event.payload ?? [])
            let write = StreamWrite(event.stream, organization: event.organization, expecting: .any, events: [fact])
            let appended = try await log.append(
                AppendRequest(causation: Causation(actor: event.actor, command: event.command), writes: [write])
            )
            precondition(appended.lastPosition == event.position, "the log was not empty")
        }
    }

    /// The rows of the live build of a projection.
    func rows<P: Projection>(of projection: P.Type) async throws -> [String: P.Row] {
        let documents = try await pool.with { connection throws(PostgresError) in
            try connection.run("SELECT key, document::text FROM rm.\(identifier: "\(P.name)_v\(P.shape)")")
                .all(String.self, String.self)
        }
        return Dictionary(
            uniqueKeysWithValues: try documents.map { ($0.0, try JSON.decode(P.Row.self, from: $0.1.utf8)) }
        )
    }

    /// Whether the stored rows of every projection are what its fold makes of the story in one go.
    ///
    /// - Parameters:
    ///   - story: What was appended first.
    ///   - others: Those that have folded events of the test itself, too.
    /// - Returns: `false` when any of the others differs.
    /// - Throws: What a query throws.
    func matches(_ story: Story, but others: Set<String> = []) async throws -> Bool {
        func check<P: Projection>(_ projection: P.Type) async throws -> Bool {
            // The log has clocks of its own.
            let wanted = try story.rows(of: projection)
            let found = try await rows(of: projection)
            return try found.keys.sorted() == wanted.keys.sorted()
                && found.keys.allSatisfy { key in
                    try Self.timeless(found[key]) == Self.timeless(wanted[key])
                }
        }
        for projection in Registry.all where !others.contains(projection.name) {
            guard try await check(projection) else { return false }
        }
        return true
    }

    /// The JSON of a row without the moments at which the log recorded its events.
    private static func timeless(_ row: some Encodable) throws -> JSONValue {
        func strip(_ value: JSONValue) -> JSONValue {
            switch value {
            case .object(let members):
                .object(
                    members.filter { $0.key != "at" && $0.key != "since" && !$0.key.hasSuffix("At") }
                        .mapValues(strip)
                )
            case .array(let elements): .array(elements.map(strip))
            default: value
            }
        }
        return strip(try JSON.decode(JSONValue.self, from: try JSON.encode(row)))
    }
}

/// Rings when something critical is logged.
struct Alarm: LogHandler {
    let bell: Bell
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        if event.level == .critical { bell.ring() }
    }
}
