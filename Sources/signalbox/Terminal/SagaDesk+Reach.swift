internal import ArgumentParser
internal import EventStore
internal import Glibc
internal import Kernel
internal import Logging
internal import Postgres
internal import Sagas

extension SagaDesk {
    var client: APIClient {
        get throws {
            let (url, key) = try reach.api(asOperator: true)
            return APIClient(url: url, key: key)
        }
    }

    /// Who acts without the API: whoever may reach the database, by their name on this machine.
    static var `operator`: String {
        let name = getpwuid(getuid()).flatMap { $0.pointee.pw_name }.map { String(cString: $0) }
        return "operator-\(name ?? String(getuid()))"
    }

    /// Asks the operations of sagas, without the API.
    func direct<Value: Sendable>(
        _ body: @Sendable @escaping (SagaOperations) async throws -> Value
    ) async throws -> Value {
        try await connected(naming: "the saga") { log, pool in
            let operations = SagaOperations(
                log: log,
                queue: PostgresWorkQueue(pool: pool),
                definitions: try Ports.definitions(pool: pool)
            )
            return try await body(operations)
        }
    }

    /// Does something with the log and a pool of its own; what goes wrong becomes an exit.
    ///
    /// - Parameters:
    ///   - what: Whose version may have moved on, as in `the saga`.
    ///   - body: What is done.
    /// - Returns: What it returns.
    /// - Throws: An exit.
    func connected<Value: Sendable>(
        naming what: String,
        _ body: @Sendable @escaping (PostgresLog, Pool) async throws -> Value
    ) async throws -> Value {
        let database = try reach.database
        let pool = Pool(conninfo: database, size: 2, role: "signalbox_append", applicationName: "signalbox-cli")
        let log: PostgresLog
        do {
            log = try await PostgresLog.open(
                conninfo: database,
                pool: pool,
                durability: .commit,
                archive: reach.archive,
                logger: .init(label: "signalbox.cli")
            )
        } catch {
            await pool.close()
            throw Exit.because(error)
        }
        let outcome: Result<Value, any Error> = await withTaskGroup(of: Void.self) { group in
            group.addTask { await log.run() }
            let outcome: Result<Value, any Error>
            do {
                outcome = .success(try await body(log, pool))
            } catch { outcome = .failure(error) }
            log.close()
            return outcome
        }
        await pool.close()
        do {
            return try outcome.get()
        } catch let error as SagaOperationError {
            throw Self.exit(error, what)
        }
    }

    private static func exit(_ error: SagaOperationError, _ what: String) -> any Error {
        switch error {
        case .notFound: Exit.notFound("\(what) is not there")
        case .badCursor: Exit.usage("the cursor does not belong to this list")
        case .unknownKind(let known): Exit.usage("there is no such kind of saga, but " + known.joined(separator: ", "))
        case .conflict(let actual): Exit.conflict("\(what) has moved on: version \(actual)")
        case .notPossible(let why): Exit.conflict(why)
        case .commandReused: Exit.conflict("the key was used for another command")
        case .unavailable: Exit.unavailable("the database cannot be asked now")
        case .broken(let what): Exit.failed(what)
        }
    }
}
