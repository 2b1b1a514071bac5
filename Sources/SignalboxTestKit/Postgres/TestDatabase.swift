internal import EventStore
internal import Postgres
package import Testing

/// A database of its own on the shared ``PostgresServer``, gone when its scope ends.
package struct TestDatabase: Sendable {
    /// What a new database starts as.
    package enum Template: Sendable {
        /// Everything of `schema/`: roles, migrations, functions.
        case migrated
        /// Nothing; owned by the superuser. The cluster has the roles of `schema/roles.sql` nevertheless.
        case empty
    }

    /// Tests run all at once, and each database brings connections, threads and memory of the server's.
    fileprivate static let places = Places(12)

    /// The database of the suite or test that has the trait `.database`, or that ``withDatabase(_:_:)`` made.
    @TaskLocal package static var current: TestDatabase?

    /// The server it is on.
    package let server: PostgresServer
    /// What `pg_database` calls it.
    package let name: String

    /// For the superuser `postgres`.
    package var superuser: String { conninfo(user: "postgres") }

    /// For the owner of the schema, `signalbox_owner`.
    package var owner: String { conninfo(user: "postgres", role: "signalbox_owner") }

    /// For the application's login, `signalbox`, which may nothing before it did `SET ROLE`.
    package var application: String { conninfo(user: "signalbox") }

    /// For any role; one that cannot log in is become with `role`.
    package func conninfo(user: String, role: String? = nil) -> String {
        server.conninfo(user: user, database: name, role: role)
    }
}

/// Runs `body` with a fresh database (about 70 ms), and drops it afterwards, whoever is still connected.
///
/// Only so many databases exist at a time; the rest of the tests wait their turn. One asked for inside another, or inside
/// a suite that has one, does not wait.
///
/// - Parameters:
///   - template: What it starts as.
///   - body: What uses it.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws, or ``PostgresServer/Failure``.
package func withDatabase<Value>(
    _ template: TestDatabase.Template = .migrated,
    _ body: (TestDatabase) async throws -> Value
) async throws -> Value {
    let isNested = TestDatabase.current != nil
    if !isNested { await TestDatabase.places.take() }
    defer { if !isNested { TestDatabase.places.give() } }
    let server = try await PostgresServer.shared()
    let database = try await server.makeDatabase(template)
    let outcome: Result<Value, any Error>
    do {
        outcome = .success(try await TestDatabase.$current.withValue(database) { try await body(database) })
    } catch {
        outcome = .failure(error)
    }
    try await server.dropDatabase(database.name)
    return try outcome.get()
}

/// Gives a suite, or a single test, a database of its own as ``TestDatabase/current``.
package struct DatabaseTrait: SuiteTrait, TestTrait, TestScoping {
    let template: TestDatabase.Template

    package func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await withDatabase(template) { _ in try await function() }
    }
}

extension Trait where Self == DatabaseTrait {
    /// A migrated database for the whole suite.
    package static var database: Self { DatabaseTrait(template: .migrated) }

    /// An empty database for the whole suite.
    package static var emptyDatabase: Self { DatabaseTrait(template: .empty) }
}
