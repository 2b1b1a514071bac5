import Kernel
import Postgres
import Testing

/// How most scenarios begin, and what they do again and again.
extension Story {
    /// Runs `body` on a machine of its own, of which nothing may be left behind.
    static func told(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: @escaping @Sendable (Story, DevProcess) async throws -> Void
    ) async throws {
        let dev = try DevProcess()
        defer { dev.remove() }
        try await dev.run { running in try await body(Story(running: running), dev) }
        #expect(dev.survivors == [], sourceLocation: sourceLocation)
    }

    /// Onboards an organization, whose instance then runs and answers at its own host.
    func provisioned(
        _ slug: String,
        price: String = "team-monthly",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Onboarded {
        let made = try await onboard(slug, price: price)
        try #require(try await ended(made.operation) == "completed", sourceLocation: sourceLocation)
        _ = try await reached(slug)
        return made
    }

    /// Gives a command that has to be taken; its operation is returned.
    func start(
        _ path: String,
        _ body: JSONValue = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let answer = try await client.post(path, body)
        try #require(answer.status == 202, "\(answer.status) \(answer.text)", sourceLocation: sourceLocation)
        return try #require(answer.json["operation"]?["id"]?.string, sourceLocation: sourceLocation)
    }

    /// Waits until the instance is terminated and its subscription cancelled.
    func terminated(_ instance: String, within patience: Duration = .seconds(60)) async throws {
        try await eventually(within: patience, { "the instance is not terminated and paid no more" }) {
            let shown = try await client.get("/v1/instances/" + instance).json
            return shown["status"] == "terminated" && shown["subscription"]?["status"] == "cancelled" ? () : nil
        }
    }

    /// How many events of a type the log has.
    func count(of type: String) async throws -> Int64 {
        try await query { tx throws(PostgresError) in
            try tx.run("SELECT count(*) FROM log.event JOIN log.event_type USING (type_id) WHERE name = \(type)")
                .decode(0, Int64.self)
        }
    }
}
