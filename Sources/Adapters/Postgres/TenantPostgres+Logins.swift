package import Platform
internal import Postgres

/// The logins of a tenant's database beside its owner: one for each rotation, of which the last is in use.
extension TenantPostgres {
    package func ensureLogin(
        _ login: String,
        of database: TenantDatabase,
        password: Secret,
        fence: String
    ) async throws(PortError) {
        guard login != database.role else { return try await ensureRole(database, password: password, fence: fence) }
        try Self.check(login)
        let verifier = try SCRAMVerifier(password: password)
        try await settled(database, fence) { session throws(PortError) in
            guard try await standing(of: database, session) == .ours else {
                throw .conflict(
                    code: "postgres.no-database",
                    message: "the database \(database.database) is not there, or not ours"
                )
            }
            let found = try await on(session) { tx throws(PostgresError) in try tx.tenantRole(login) }
            if let found, Standing(comment: found.comment, towards: database.owner) != .ours {
                throw .permanent(code: "postgres.name-taken", message: "the role \(login) is not ours")
            }
            try await transaction(session) { tx throws(PostgresError) in
                try tx.make(login: login, of: database, verifier, again: found != nil)
                try tx.limit(login, in: database, limits)
                // What it makes belongs to the owner, so that it can go without leaving anything behind.
                try tx.run(
                    """
                    ALTER ROLE \(identifier: login) IN DATABASE \(identifier: database.database)
                    SET role = \(identifier: database.role)
                    """
                )
            }
        }
    }

    package func isInUse(_ login: String, of database: TenantDatabase) async throws(PortError) -> Bool {
        try await settled(database, "probe") { session throws(PortError) -> Bool in
            try await on(session) { tx throws(PostgresError) -> Bool in
                let rows = try tx.run(
                    """
                    SELECT EXISTS (
                        SELECT FROM pg_stat_activity
                        WHERE usename = \(login) AND datname = \(database.database)
                          AND backend_type = 'client backend')
                    """
                )
                return try rows.decode(0, Bool.self)
            }
        }
    }

    package func retireLogin(
        _ login: String,
        of database: TenantDatabase,
        fence: String
    ) async throws(PortError) {
        try Self.check(login)
        try await settled(database, fence) { session throws(PortError) in
            let found = try await on(session) { tx throws(PostgresError) in try tx.tenantRole(login) }
            guard let found, Standing(comment: found.comment, towards: database.owner) == .ours else { return }
            try await on(session) { tx throws(PostgresError) in try tx.endLogin(login) }
            guard login != database.role else { return }
            if try await standing(of: database, session) == .ours {
                // A session can leave the role it was given, and then what it makes is its own.
                let inside = try await open(database: database.database, fence)
                try await transaction(inside) { tx throws(PostgresError) in
                    try tx.run("REASSIGN OWNED BY \(identifier: login) TO \(identifier: database.role)")
                    try tx.run("DROP OWNED BY \(identifier: login)")
                }
                await inside.close()
            }
            try await transaction(session) { tx throws(PostgresError) in try tx.dropLogin(login) }
        }
    }

    /// Every further login that is ours, for when the database is gone.
    func dropLogins(of database: TenantDatabase, _ session: Connection) async throws(PortError) {
        let logins = try await on(session) { tx throws(PostgresError) in try tx.logins(of: database.role) }
        for (login, comment) in logins where Standing(comment: comment, towards: database.owner) == .ours {
            try await on(session) { tx throws(PostgresError) in try tx.endLogin(login) }
            try await transaction(session) { tx throws(PostgresError) in
                try tx.run("DROP OWNED BY \(identifier: login)")
                try tx.dropLogin(login)
            }
        }
    }
}

extension Connection {
    fileprivate func make(
        login: String,
        of database: TenantDatabase,
        _ verifier: SCRAMVerifier,
        again: Bool
    ) throws(PostgresError) {
        let name = SQL.quoted(identifier: login)
        let options = """
            LOGIN CONNECTION LIMIT \(database.connectionLimit) PASSWORD \(SQL.quoted(literal: verifier.text))
            """
        if again {
            try run("ALTER ROLE \(unsafe: name) \(unsafe: options)")
        } else {
            try run("CREATE ROLE \(unsafe: name) NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION \(unsafe: options)")
        }
        try run("GRANT \(identifier: database.role) TO \(unsafe: name)")
        try comment(on: "ROLE", login, database.owner)
        // To end its sessions and to hand over what it owns takes a member of it.
        try run("GRANT \(unsafe: name) TO CURRENT_USER")
    }

    /// The logins of an owner beside itself, with their comments.
    fileprivate func logins(of role: String) throws(PostgresError) -> [(String, String?)] {
        let rows = try run(
            """
            SELECT m.rolname, shobj_description(m.oid, 'pg_authid')
            FROM pg_auth_members a
            JOIN pg_roles r ON r.oid = a.roleid
            JOIN pg_roles m ON m.oid = a.member
            WHERE r.rolname = \(role) AND m.rolname ~ ('^' || \(role) || '_r[0-9]+$')
            ORDER BY m.rolname
            """
        )
        var logins: [(String, String?)] = []
        for row in 0..<rows.count { logins.append(try rows.decode(row, String.self, String?.self)) }
        return logins
    }

    /// First harmless, then without sessions: should the rest fail, nobody can log in any more.
    func endLogin(_ login: String) throws(PostgresError) {
        try run("ALTER ROLE \(identifier: login) NOLOGIN PASSWORD NULL")
        try run(
            """
            SELECT pg_terminate_backend(pid, 5000)
            FROM pg_stat_activity
            WHERE usename = \(login) AND backend_type = 'client backend'
            """
        )
    }

    fileprivate func dropLogin(_ login: String) throws(PostgresError) {
        try run("DROP ROLE IF EXISTS \(identifier: login)")
    }
}
