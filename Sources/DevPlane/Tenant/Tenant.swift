internal import Logging
internal import Postgres
internal import ServiceLifecycle

/// The process that stands in for a tenant's application on a development machine.
///
/// It reads the environment the real one reads, connects to its own database with the credentials it finds there,
/// keeps a row in it, and serves `/health`, `/ready`, `/metrics` and `/`.
package struct Tenant: Service {
    /// Why it does not start.
    package enum Failure: Error, Equatable, Sendable {
        /// A variable that it cannot do without is missing or makes no sense.
        case environment(String)
        /// Its database did not let it in.
        case database(String)
    }

    private let environment: [String: String]
    private let logger = Logger(label: "tenant")

    /// - Parameter environment: All of the process's environment.
    package init(environment: [String: String]) {
        self.environment = environment
    }

    /// Serves until it is cancelled or told to shut down.
    ///
    /// - Throws: ``Failure`` when it cannot start, or what keeps it from listening.
    package func run() async throws {
        let environment = try TenantEnvironment(self.environment)
        let store = TenantStore(environment)
        try await connect(store)
        let routes = TenantRoutes(environment: environment, store: store)
        let server = LocalServer(
            port: environment.listen,
            faults: Faults(),
            logger: logger,
            onListening: { _ in },
            answer: { await routes.answer($0) }
        )
        // What listens elsewhere would never be found: better to end and be started again.
        guard Port.isFree(environment.listen) else { throw Failure.environment("port \(environment.listen) is taken") }
        try await server.run()
    }

    /// Brings the database to where this image wants it, and ends: it only adds, so that the image before goes on working.
    ///
    /// - Throws: ``Failure`` when it cannot.
    package func migrate() async throws {
        let environment = try TenantEnvironment(self.environment)
        // For trying out what becomes of one that fails.
        guard !environment.image.hasSuffix("-unmigratable") else {
            throw Failure.environment("\(environment.image) cannot be migrated to")
        }
        let store = TenantStore(environment)
        try await connect(store)
        do throws(PostgresError) { try await store.migrate() } catch { throw Failure.database(error.description) }
    }

    /// Waits for the database for ten seconds, as it may start later than the tenant.
    private func connect(_ store: TenantStore) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do throws(PostgresError) {
                return try await store.begin()
            } catch {
                guard error.kind == .unreachable || error.kind == .lost, ContinuousClock.now < deadline else {
                    throw Failure.database(error.description)
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
