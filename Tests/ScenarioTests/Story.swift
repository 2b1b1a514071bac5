import FoundationEssentials
import Kernel
import Postgres
import Testing

/// What the story needs again and again: onboarding, waiting, looking into the log and behind the scenes.
struct Story: Sendable {
    let running: DevProcess.Announcement
    var client: Client { Client(base: running.api, key: running.apiKey) }

    /// Where operators ask.
    var desk: Client { Client(base: running.api, key: running.operatorKey) }

    /// Ids that an onboarding answered with.
    struct Onboarded: Sendable {
        var operation: String
        var organization: String
        var subscription: String
        var instance: String
        var position: String
    }

    func onboard(_ slug: String, price: String = "team-monthly") async throws -> Onboarded {
        let answer = try await client.post(
            "/v1/onboarding",
            [
                "organization": ["name": .string("The \(slug) company"), "slug": .string(slug)],
                "priceId": .string(price),
            ]
        )
        try #require(answer.status == 202, "\(answer.status) \(answer.text)")
        let location = try #require(answer["Location"])
        let operation = try #require(answer.json["operation"]?["id"]?.string)
        #expect(location.hasSuffix("/v1/operations/" + operation))
        return Onboarded(
            operation: operation,
            organization: try #require(answer.json["organization"]?["id"]?.string),
            subscription: try #require(answer.json["subscription"]?["id"]?.string),
            instance: try #require(answer.json["instance"]?["id"]?.string),
            position: try #require(answer["X-Log-Position"])
        )
    }

    /// Waits until the operation has ended and gives its last state.
    func ended(
        _ operation: String,
        within patience: Duration = .seconds(60),
        for asker: Client? = nil
    ) async throws -> String {
        let client = asker ?? client
        do {
            return try await eventually(within: patience, { "operation \(operation) has not ended" }) {
                let answer = try await client.get("/v1/operations/" + operation, headers: ["Prefer": "wait=5"])
                let status = answer.json["status"]?.string ?? ""
                return ["completed", "compensated", "parked", "abandoned", "superseded"].contains(status) ? status : nil
            }
        } catch let error as DevProcess.Failure {
            // What a person would look at next.
            let seen = try? await desk.get("/v1/admin/sagas/saga-provision-instance." + operation)
            throw DevProcess.Failure(description: "\(error): \(seen?.text ?? "nobody answers")")
        }
    }

    /// Waits until the instance has this status.
    func instance(
        _ id: String,
        becomes status: String,
        within patience: Duration = .seconds(60),
        for asker: Client? = nil
    ) async throws -> JSONValue {
        let client = asker ?? client
        return try await eventually(within: patience, { "instance \(id) is not \(status)" }) {
            let shown = try await client.get("/v1/instances/" + id).json
            // Not by `?:`, where `nil` would be taken for JSON's null, and there would be nothing to wait for.
            guard shown["status"]?.string == status else { return nil }
            return shown
        }
    }

    /// Makes a version known, whose image is called by it.
    func register(_ version: String) async throws {
        let answer = try await desk.post(
            "/v1/admin/releases",
            ["version": .string(version), "image": .string("railzway:" + version)]
        )
        try #require(answer.status == 204, "\(answer.status) \(answer.text)")
    }

    /// What the tenant answers at its own host name, through the edge.
    func visit(_ slug: String, _ path: String = "/") async throws -> Client.Answer {
        let edge = try #require(running.edge, "the edge is not there")
        return try await Client(base: edge, key: nil).get(path, headers: ["Host": slug + ".localhost"])
    }

    /// Waits until the tenant answers through the edge.
    func reached(_ slug: String, within patience: Duration = .seconds(20)) async throws -> Client.Answer {
        try await eventually(within: patience, { "\(slug) cannot be reached" }) {
            let answer = try? await visit(slug)
            return answer?.status == 200 ? answer : nil
        }
    }

    /// Waits until the edge knows the host no more.
    func gone(_ slug: String, within patience: Duration = .seconds(20)) async throws {
        _ = try await eventually(within: patience, { "\(slug) can still be reached" }) {
            try await visit(slug).status == 404 ? true : nil
        }
    }

    /// Runs one query as the superuser of the embedded cluster.
    func query<Value: Sendable>(
        database: String = "signalbox",
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws -> Value {
        let url = running.databaseUrl.split(separator: "/").dropLast().joined(separator: "/")
            .replacingOccurrences("postgresql:/", with: "postgresql://")
        let connection = try await Connection.open(url + "/" + database)
        let result: Result<Value, PostgresError>
        do throws(PostgresError) { result = .success(try await body(connection)) } catch { result = .failure(error) }
        await connection.close()
        return try result.get()
    }
}

extension String {
    fileprivate func replacingOccurrences(_ text: String, with other: String) -> String {
        split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
    }
}
