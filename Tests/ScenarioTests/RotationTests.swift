import FoundationEssentials
import Kernel
import Postgres
import Synchronization
import Testing

/// The credentials of a tenant change while somebody works with its database.
@Suite("Rotation", .wholeMachine, .timeLimit(.minutes(15)))
struct RotationTests {
    @Test("a client that reads its login when it connects never fails, and the old login is of no use afterwards")
    func rotation() async throws {
        try await Story.told { story, _ in
            let ids = try await story.provisioned("acme", price: "starter-monthly")
            let tenant = Tenant(story: story, organization: ids.organization)
            let before = try await tenant.login()
            let version = try await tenant.jobVersion()

            let counts = Counts()
            let client = Task {
                while !Task.isCancelled {
                    do {
                        let phase = counts.phase
                        let login = try await tenant.login()
                        try await tenant.query(as: login)
                        counts.succeeded(in: phase, as: login.user)
                    } catch {
                        // What we cut off ourselves is no failure.
                        guard !Task.isCancelled else { return }
                        counts.failed("\(error)")
                    }
                }
            }
            try await counts.some(in: .before)
            counts.enter(.during)
            let operation = try await story.start("/v1/instances/\(ids.instance)/rotate-credentials")
            #expect(try await story.ended(operation) == "completed")
            counts.enter(.after)
            try await counts.some(in: .after)
            client.cancel()
            await client.value
            let after = try await tenant.login()
            // Every single one, and some at each time: with the first login, with either, with the next.
            #expect(counts.failures == [])
            #expect(counts.users(in: .before) == [before.user])
            #expect(counts.users(in: .during).isSubset(of: [before.user, after.user]))
            #expect(!counts.users(in: .during).isEmpty)
            #expect(counts.users(in: .after) == [after.user])

            #expect(after.user == before.user + "_r2" && after.password != before.password)
            await #expect(throws: PostgresError.self) { try await tenant.query(as: before) }
            #expect(try await tenant.jobVersion() == version)
            let instance = try await story.instance(ids.instance, becomes: "running")
            let condition = instance["conditions"]?.array?.first { $0["type"] == "CredentialsReserved" }
            #expect(condition?["message"] == "rotation 2")
            // The tenant itself is there, and does not know that it works as another.
            let page = try await story.reached("acme")
            #expect(page.json["user"]?.string == before.user)
            #expect(try #require(page.json["starts"]?.integer) >= 2)

            // The next one leaves the owner and the third login.
            let second = try await story.start("/v1/instances/\(ids.instance)/rotate-credentials")
            #expect(try await story.ended(second) == "completed")
            let roles = try await story.query(database: "postgres") { tx throws(PostgresError) in
                try tx.run("SELECT rolname FROM pg_roles WHERE starts_with(rolname, \(before.user)) ORDER BY 1")
                    .column(String.self)
            }
            #expect(roles == [before.user, before.user + "_r3"])
        }
    }
}

/// What became of a client's queries.
private final class Counts: Sendable {
    /// When a query began, as seen from the rotation.
    enum Phase: Sendable {
        case before, during, after
    }

    private struct State {
        var phase = Phase.before
        var users: [Phase: Set<String>] = [:]
        var failures: [String] = []
    }

    private let state = Mutex(State())
    var phase: Phase { state.withLock { $0.phase } }
    var failures: [String] { state.withLock { $0.failures } }
    func enter(_ phase: Phase) { state.withLock { $0.phase = phase } }
    func users(in phase: Phase) -> Set<String> { state.withLock { $0.users[phase] ?? [] } }
    func succeeded(in phase: Phase, as user: String) {
        state.withLock { _ = $0.users[phase, default: []].insert(user) }
    }
    func failed(_ reason: String) { state.withLock { $0.failures.append(reason) } }

    /// Waits for the first success that began in a phase.
    func some(in phase: Phase) async throws {
        try await eventually(within: .seconds(60), { "no query succeeds" }) { users(in: phase).isEmpty ? nil : () }
    }
}

/// The database of one organization's first instance, as a client of it knows it.
private struct Tenant: Sendable {
    let story: Story
    let organization: String

    struct Login: Sendable {
        var user: String
        var password: String
    }

    /// What the workload reads when it starts.
    func login() async throws -> Login {
        let nomad = Client(base: story.running.nomad, key: nil)
        let variable = try await nomad.get("/v1/var/nomad/jobs/railzway-org-\(organization)").json["Items"]
        return Login(
            user: try #require(variable?["db_user"]?.string),
            password: try #require(variable?["db_password"]?.string)
        )
    }

    func jobVersion() async throws -> Int64? {
        let nomad = Client(base: story.running.nomad, key: nil)
        return try await nomad.get("/v1/job/railzway-org-\(organization)").json["Version"]?.integer
    }

    func query(as login: Login) async throws {
        let address = try await port()
        let connection = try await Connection.open(
            "host=127.0.0.1 port=\(address) user=\(login.user) password='\(login.password)' dbname=railzway_org_\(organization)"
        )
        do throws(PostgresError) {
            try await connection.run("SELECT visits FROM tenant_visit")
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }

    /// Tenants come over TCP, where the server asks for a password.
    private func port() async throws -> String {
        let nomad = Client(base: story.running.nomad, key: nil)
        let job = try await nomad.get("/v1/job/railzway-org-\(organization)").json
        let task = job["TaskGroups"]?.array?.first?["Tasks"]?.array?.first
        return try #require(task?["Env"]?["DB_PORT"]?.string)
    }
}
