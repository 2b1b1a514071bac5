/// The process that stands in for a tenant's application on a development machine.
///
/// It reads the environment the real one reads, connects to its own database with the credentials it finds there,
/// keeps a row in it, and serves `/health`, `/ready`, `/metrics` and `/`.
package struct Tenant: Sendable {
    /// Why it does not start.
    package enum Failure: Error, Equatable, Sendable {
        /// A variable that it cannot do without is missing or makes no sense.
        case environment(String)
        /// Its database did not let it in.
        case database(String)
    }

    private let environment: [String: String]

    /// - Parameter environment: All of the process's environment.
    package init(environment: [String: String]) {
        self.environment = environment
    }

    /// Serves until it is cancelled or told to shut down.
    package func run() async throws {
        fatalError("not written yet")
    }
}
