internal import ArgumentParser
internal import EventStore
internal import Glibc
internal import Kernel
internal import Logging
internal import Postgres
internal import Projections
internal import Server

/// Where commands about builds of read models go: to the API, or straight to the database when no server is up.
struct ProjectionCounter: ParsableArguments {
    @Argument(help: "The read model, as `projections list` names it.")
    var name: String

    @Flag(help: "Without the API, over DATABASE_URL or the folder of `signalbox dev`.")
    var directly = false

    @OptionGroup var reach: Reach

    func rebuilds() async throws -> [RebuildState] {
        if directly { return try await direct { desk, _ in try await desk.rebuilds(name) } }
        let answer = try await client.send("GET", "/v1/admin/projections/\(PercentEncoding.encode(name))/rebuilds")
        return try JSON.decode([RebuildState].self, from: JSON.encode(answer.body["data"] ?? .array([])))
    }

    /// Does something, and says what came of it.
    func act(_ verb: ProjectionVerb, reason: String) async throws -> ProjectionReceipt {
        if directly {
            let deed = ProjectionDeed(actor: Self.operator, reason: reason, command: IDSource.system.unique())
            return try await direct { desk, _ in try await desk.act(verb, on: name, by: deed) }
        }
        var body: [String: JSONValue] = ["reason": .string(reason)]
        switch verb {
        case .rebuild(let order):
            body["parallel"] = .integer(Int64(order.parallel))
            body["dryRun"] = .bool(order.isDry)
            body["switch"] = .bool(order.switches)
            if let until = order.until { body["toPosition"] = .integer(until) }
            if let time = order.asOf { body["asOf"] = .string(time.description) }
        case .cancel(let build): if let build { body["build"] = .integer(Int64(build)) }
        case .show(let build, let accepting):
            if let build { body["build"] = .integer(Int64(build)) }
            body["acceptDifferences"] = .bool(accepting)
        case .retry(let organization), .skip(let organization):
            if let organization { body["organizationId"] = .string(organization.description) }
        case .pause, .resume, .rollBack: break
        }
        let path = "/v1/admin/projections/\(PercentEncoding.encode(name))/\(verb.name.rawValue)"
        // With one key however often it is sent, so that it is done once.
        let answer = try await client.send(
            "POST",
            path,
            body: .object(body),
            headers: ["Idempotency-Key": "\(IDSource.system.unique())"],
            patience: APIClient.patience
        )
        return try JSON.decode(ProjectionReceipt.self, from: JSON.encode(answer.body))
    }

    /// Hands over the newest rebuild as it is and whenever it is further, until it ends.
    ///
    /// Without the API nobody else may be there to drive it: it is driven from here.
    func follow(_ look: @escaping @Sendable (RebuildState) throws -> Void) async throws {
        guard directly else {
            let path = "/v1/admin/projections/\(PercentEncoding.encode(name))/rebuilds/stream"
            for try await data in try await client.events(path) {
                try look(try JSON.decode(RebuildState.self, from: data))
            }
            return
        }
        try await direct { desk, runner in
            try await withThrowingTaskGroup { group in
                group.addTask {
                    while !Task.isCancelled {
                        if await !runner.driveRebuild() { try await Task.sleep(for: .milliseconds(500)) }
                    }
                }
                while true {
                    let state = try await desk.newest(name)
                    try look(state)
                    if state.endedAt != nil { break }
                    try await Task.sleep(for: .milliseconds(250))
                }
                group.cancelAll()
            }
        }
    }

    private var client: APIClient {
        get throws {
            let (url, key) = try reach.api(asOperator: true)
            return APIClient(url: url, key: key)
        }
    }

    /// Who acts without the API: whoever may reach the database, by their name on this machine.
    private static var `operator`: String {
        let name = getpwuid(getuid()).flatMap { $0.pointee.pw_name }.map { String(cString: $0) }
        return "operator-\(name ?? String(getuid()))"
    }

    private func direct<Value: Sendable>(
        _ body: @Sendable @escaping (ProjectionDesk, ProjectionRunner) async throws -> Value
    ) async throws -> Value {
        let database = try reach.database
        let append = Pool(conninfo: database, size: 2, role: "signalbox_append", applicationName: "signalbox-cli")
        let project = Pool(conninfo: database, size: 3, role: "signalbox_project", applicationName: "signalbox-cli")
        let logger = Logger(label: "signalbox.cli")
        let log = try await PostgresLog.open(
            conninfo: database,
            pool: append,
            durability: .commit,
            archive: reach.archive,
            logger: logger
        )
        let runner = ProjectionRunner(
            pool: project,
            log: log,
            work: PostgresWorkQueue(pool: append),
            feed: LogFollower(log: log, bell: log.bell).feed,
            owner: Self.operator,
            logger: logger
        )
        let outcome: Result<Value, any Error> = await withTaskGroup(of: Void.self) { group in
            group.addTask { await log.run() }
            let outcome: Result<Value, any Error>
            do {
                outcome = .success(try await body(ProjectionDesk(runner), runner))
            } catch { outcome = .failure(error) }
            log.close()
            return outcome
        }
        await append.close()
        await project.close()
        do {
            return try outcome.get()
        } catch let error as RebuildError {
            throw Self.exit(error)
        }
    }

    private static func exit(_ error: RebuildError) -> any Error {
        switch error {
        case .unknownProjection: Exit.notFound("there is no such read model")
        case .unknownBuild: Exit.notFound("there is no such build")
        case .notPossible(let why): Exit.conflict(why)
        case .beyond(let frontier): Exit.usage("the log ends at \(frontier)")
        case .twoEnds: Exit.usage("a position and a time exclude each other")
        case .future: Exit.usage("the time is still to come")
        case .commandReused: Exit.conflict("the command was used for something else")
        case .unavailable: Exit.unavailable("the database cannot be asked now")
        }
    }
}
