internal import ArgumentParser
internal import EventStore
internal import Glibc
internal import Kernel
internal import Logging
internal import Postgres
internal import Sagas
internal import Server

/// Where commands about sagas go: to the API, or straight to the database when no server is up.
struct SagaDesk: ParsableArguments {
    @Flag(help: "Without the API, over DATABASE_URL or the folder of `signalbox dev`.")
    var directly = false

    @OptionGroup var reach: Reach

    static func id(_ text: String) throws -> UniqueID {
        guard let id = UniqueID(text) else { throw Exit.usage("\(text) is not a saga id") }
        return id
    }

    func list(_ wish: SagaWish, limit: Int) async throws -> SagaPage {
        if directly { return try await direct { try await $0.list(wish, limit: limit) } }
        var query = ["limit=\(limit)"]
        let parts = [
            "status": wish.statuses?.first, "kind": wish.kind, "target": wish.target, "lane": wish.lane,
            "stuck": wish.stuck ? "true" : nil,
        ]
        for (name, value) in parts.sorted(by: { $0.key < $1.key }) {
            if let value { query.append("\(name)=\(PercentEncoding.encode(value))") }
        }
        let answer = try await client.send("GET", "/v1/admin/sagas?" + query.joined(separator: "&"))
        return try JSON.decode(SagaPage.self, from: JSON.encode(answer.body))
    }

    func show(_ saga: UniqueID) async throws -> SagaView {
        if directly { return try await direct { try await $0.show(saga) } }
        let answer = try await client.send("GET", "/v1/admin/sagas/\(saga)")
        return try JSON.decode(SagaView.self, from: JSON.encode(answer.body))
    }

    /// Hands over the saga as it is and whenever it changes, until the closure says that it was enough.
    func follow(_ saga: UniqueID, _ look: (SagaView) throws -> Bool) async throws {
        if directly {
            var view = try await show(saga)
            while try look(view) {
                let seen = view
                repeat {
                    try await Task.sleep(for: .milliseconds(500))
                    view = try await show(saga)
                } while view == seen
            }
            return
        }
        for try await data in try await client.events("/v1/admin/sagas/\(saga)/stream") {
            guard try look(try JSON.decode(SagaView.self, from: data)) else { return }
        }
    }

    /// - Returns: What the saga is then.
    func act(_ verb: SagaVerb, on saga: UniqueID, _ order: SagaOrder) async throws -> String {
        if directly {
            let deed = SagaDeed(actor: Self.operator, reason: order.reason, expectedVersion: order.version)
            return try await direct { try await $0.act(verb, on: saga, deed).status }
        }
        var body: [String: JSONValue] = ["reason": .string(order.reason), "version": .string(String(order.version))]
        switch verb {
        case .skip(let step, let force):
            if let step { body["step"] = .string(step) }
            body["force"] = .bool(force)
        case .setOutput(let step, let output, let evidence):
            (body["step"], body["output"], body["evidence"]) = (.string(step), output, evidence)
        case .migrate(let force): body["force"] = .bool(force)
        case .retry, .park, .resume, .cancel, .abandon: break
        }
        let answer = try await client.send(
            "POST",
            "/v1/admin/sagas/\(saga)/\(verb.name.rawValue)",
            body: .object(body),
            headers: order.key.map { ["Idempotency-Key": $0] } ?? [:]
        )
        return answer.body["operation"]?["status"]?.string ?? ""
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
        _ body: @Sendable @escaping (SagaOperations) async throws -> Value
    ) async throws -> Value {
        let database = try reach.database
        let pool = Pool(conninfo: database, size: 2, role: "signalbox_append", applicationName: "signalbox-cli")
        let log = try await PostgresLog.open(
            conninfo: database,
            pool: pool,
            durability: .commit,
            archive: reach.archive,
            logger: .init(label: "signalbox.cli")
        )
        let operations = SagaOperations(
            log: log,
            queue: PostgresWorkQueue(pool: pool),
            definitions: try Ports.definitions(pool: pool)
        )
        let outcome: Result<Value, any Error> = await withTaskGroup(of: Void.self) { group in
            group.addTask { await log.run() }
            let outcome: Result<Value, any Error>
            do {
                outcome = .success(try await body(operations))
            } catch { outcome = .failure(error) }
            log.close()
            return outcome
        }
        await pool.close()
        do {
            return try outcome.get()
        } catch let error as SagaOperationError {
            throw Self.exit(error)
        }
    }

    private static func exit(_ error: SagaOperationError) -> any Error {
        switch error {
        case .notFound: Exit.notFound("there is no such saga")
        case .badCursor: Exit.usage("the cursor does not belong to this list")
        case .conflict(let actual): Exit.conflict("the saga has moved on; it is at version \(actual)")
        case .notPossible(let why): Exit.conflict(why)
        case .commandReused: Exit.conflict("the key was used for another command")
        case .unavailable: Exit.unavailable("the database cannot be asked now")
        case .broken(let what): Exit.failed(what)
        }
    }
}
