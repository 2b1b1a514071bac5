internal import EventStore
internal import Postgres
internal import Synchronization

extension PostgresServer {
    private static let template = "signalbox_template"

    package func makeDatabase(_ template: TestDatabase.Template) async throws -> TestDatabase {
        try await makeTemplate()
        // Random, not counted: two processes may share a server one day.
        let database = TestDatabase(server: self, name: "test_\(UInt64.random(in: 0 ... .max))")
        let connection = try await Connection.open(conninfo())
        let source = template == .migrated ? Self.template : "template0"
        do {
            try await connection.script("CREATE DATABASE \(database.name) TEMPLATE \(source)")
            if template == .migrated, let roles = Schema.roles {
                // A clone does not inherit the rights on the database itself.
                let clone = try await Connection.open(database.superuser)
                try await clone.script(roles.text)
                await clone.close()
            }
        } catch {
            throw Failure(description: "no database from \(source): \(error.debugDescription)")
        }
        await connection.close()
        return database
    }

    func dropDatabase(_ name: String) async throws {
        let connection = try await Connection.open(conninfo())
        try await connection.script("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        await connection.close()
    }

    /// Makes the migrated template once; whoever comes meanwhile waits on the server's lock.
    private func makeTemplate() async throws {
        guard !templates.withLock({ $0.contains(Self.template) }) else { return }
        let connection = try await Connection.open(conninfo())
        try await connection.run("SELECT pg_advisory_lock(1)")
        let exists = try await connection.run("SELECT 1 FROM pg_database WHERE datname = \(Self.template)").count > 0
        if !exists {
            let draft = "template_draft"
            try await connection.script("DROP DATABASE IF EXISTS \(draft) WITH (FORCE)")
            try await connection.script("CREATE DATABASE \(draft) TEMPLATE template0")
            let inside = try await Connection.open(conninfo(database: draft))
            do {
                _ = try await Schema.migrator.apply(on: inside)
            } catch {
                throw Failure(description: "the schema cannot be applied: \(error.debugDescription)")
            }
            await inside.close()
            try await connection.script("ALTER DATABASE \(draft) RENAME TO \(Self.template)")
        }
        templates.withLock { _ = $0.insert(Self.template) }
        await connection.close()
    }
}
