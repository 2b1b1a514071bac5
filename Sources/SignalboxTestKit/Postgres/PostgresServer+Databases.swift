internal import EventStore
internal import Postgres
internal import Synchronization

extension PostgresServer {
    private static let template = "signalbox_template"

    func makeDatabase(_ template: TestDatabase.Template) async throws -> TestDatabase {
        try await makeTemplate()
        // Random, not counted: two processes may share a server one day.
        let name = "test_\(UInt64.random(in: 0 ... .max))"
        let connection = try await Connection.open(conninfo())
        let source = template == .migrated ? Self.template : "template0"
        do {
            try await connection.script("CREATE DATABASE \(name) TEMPLATE \(source)")
            if template == .migrated { try await connection.script("ALTER DATABASE \(name) OWNER TO signalbox_owner") }
        } catch {
            throw Failure(description: "no database from \(source): \(error.debugDescription)")
        }
        await connection.close()
        return TestDatabase(server: self, name: name)
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
            do throws(PostgresError) {
                if let roles = Schema.roles { try await connection.script(roles.text) }
                try await connection.script(
                    "DO $$ BEGIN CREATE ROLE signalbox_owner; EXCEPTION WHEN duplicate_object THEN END $$"
                )
                try await connection.script("CREATE DATABASE template_draft TEMPLATE template0")
                let draft = try await Connection.open(conninfo(database: "template_draft"))
                for file in Schema.migrations + Schema.functions { try await draft.script(file.text) }
                await draft.close()
                try await connection.script("ALTER DATABASE template_draft RENAME TO \(Self.template)")
            } catch {
                // A second failure would say less than the first.
                try? await connection.script("DROP DATABASE IF EXISTS template_draft WITH (FORCE)")
                throw Failure(description: "the schema cannot be applied: \(error.debugDescription)")
            }
        }
        templates.withLock { _ = $0.insert(Self.template) }
        await connection.close()
    }
}
