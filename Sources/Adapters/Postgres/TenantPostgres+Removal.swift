package import Platform
internal import Postgres

extension TenantPostgres {
    package func dropDatabase(_ database: TenantDatabase, fence: String) async throws(PortError) {
        try await settled(database, fence) { session throws(PortError) in
            guard try await standing(of: database, session) == .ours else { return }
            try await on(session) { tx throws(PostgresError) in
                try tx.refuseConnections(to: database.database)
                try tx.run("DROP DATABASE IF EXISTS \(identifier: database.database) WITH (FORCE)")
            }
        }
    }

    package func quarantineDatabase(
        _ database: TenantDatabase,
        as renamed: String,
        fence: String
    ) async throws(PortError) {
        guard (1...63).contains(renamed.utf8.count) else {
            throw .permanent(code: "postgres.name", message: "\"\(renamed)\" is no name of 1 to 63 bytes")
        }
        try await settled(database, fence) { session throws(PortError) in
            // Absent: never made, or renamed by an earlier attempt, which had refused connections before it did so.
            guard try await standing(of: database, session) == .ours else { return }
            try await on(session) { tx throws(PostgresError) in
                try tx.refuseConnections(to: database.database)
                try tx.run(
                    """
                    SELECT pg_terminate_backend(pid, 5000)
                    FROM pg_stat_activity
                    WHERE datname = \(database.database) AND backend_type = 'client backend'
                    """
                )
                try tx.run("ALTER DATABASE \(identifier: database.database) RENAME TO \(identifier: renamed)")
            }
        }
    }

    package func dropRole(_ database: TenantDatabase, fence: String) async throws(PortError) {
        try await settled(database, fence) { session throws(PortError) in
            let found = try await on(session) { tx throws(PostgresError) in try tx.tenantRole(database.role) }
            guard let found, Standing(comment: found.comment, towards: database.owner) == .ours else { return }
            let dependents = try await on(session) { tx throws(PostgresError) in
                try tx.endLogin(database.role)
                return try tx.databasesOwned(by: database.role)
            }
            guard dependents.isEmpty else {
                throw .pending(
                    code: "postgres.2BP01",
                    message: "the role \(database.role) still owns \(dependents.joined(separator: ", "))"
                )
            }
            try await dropLogins(of: database, session)
            try await transaction(session) { tx throws(PostgresError) in
                try tx.run("DROP OWNED BY \(identifier: database.role)")
                try tx.run("DROP ROLE \(identifier: database.role)")
            }
        }
    }
}

extension Connection {
    fileprivate func refuseConnections(to database: String) throws(PostgresError) {
        try run("ALTER DATABASE \(identifier: database) WITH ALLOW_CONNECTIONS false")
    }

    fileprivate func databasesOwned(by role: String) throws(PostgresError) -> [String] {
        try run(
            """
            SELECT d.datname
            FROM pg_database d
            JOIN pg_roles r ON r.oid = d.datdba
            WHERE r.rolname = \(role)
            ORDER BY d.datname
            """
        ).column(String.self)
    }
}
