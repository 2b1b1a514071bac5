internal import Platform
internal import Postgres

/// A role as the cluster has it.
struct TenantRoleRecord: Sendable {
    var comment: String?
    var mayLogIn: Bool
}

/// A database as the cluster has it.
struct TenantDatabaseRecord: Sendable {
    var owner: String
    var comment: String?
    var allowsConnections: Bool

    /// Whose it is.
    ///
    /// The comment cannot be made together with the database, so one without any is its owner's, whose own comment was
    /// made together with the role.
    func standing(towards database: TenantDatabase, role: TenantRoleRecord?) -> Standing {
        if comment == nil, owner == database.role, let role {
            return Standing(comment: role.comment, towards: database.owner)
        }
        return Standing(comment: comment, towards: database.owner)
    }
}

/// The statements, each named after what it is for.
extension Connection {
    func tenantRole(_ name: String) throws(PostgresError) -> TenantRoleRecord? {
        let rows = try run(
            "SELECT shobj_description(oid, 'pg_authid'), rolcanlogin FROM pg_roles WHERE rolname = \(name)"
        )
        guard rows.count > 0 else { return nil }
        let (comment, mayLogIn) = try rows.decode(0, String?.self, Bool.self)
        return TenantRoleRecord(comment: comment, mayLogIn: mayLogIn)
    }

    func tenantDatabase(_ name: String) throws(PostgresError) -> TenantDatabaseRecord? {
        let rows = try run(
            """
            SELECT r.rolname, shobj_description(d.oid, 'pg_database'), d.datallowconn
            FROM pg_database d
            JOIN pg_roles r ON r.oid = d.datdba
            WHERE d.datname = \(name)
            """
        )
        guard rows.count > 0 else { return nil }
        let (owner, comment, open) = try rows.decode(0, String.self, String?.self, Bool.self)
        return TenantDatabaseRecord(owner: owner, comment: comment, allowsConnections: open)
    }

    func databasesOpenToAll(among names: [String]) throws(PostgresError) -> [String] {
        try run(
            """
            SELECT datname
            FROM pg_database
            WHERE datname = ANY (\(array: names)) AND has_database_privilege('public', oid, 'CONNECT')
            ORDER BY datname
            """
        ).column(String.self)
    }

    /// The role with its tag, in the caller's transaction; made again, it gets this password and these limits.
    func make(_ database: TenantDatabase, _ verifier: SCRAMVerifier, again: Bool) throws(PostgresError) {
        let role = SQL.quoted(identifier: database.role)
        let login = """
            LOGIN CONNECTION LIMIT \(database.connectionLimit) PASSWORD \(SQL.quoted(literal: verifier.text))
            """
        if again {
            // Even to repeat that a role is no superuser takes a superuser.
            try run("ALTER ROLE \(unsafe: role) \(unsafe: login)")
        } else {
            try run("CREATE ROLE \(unsafe: role) NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION \(unsafe: login)")
        }
        try comment(on: "ROLE", database.role, database.owner)
        // Who is no superuser may make a database for a role only as its member, and drop it only as that too.
        try run("GRANT \(identifier: database.role) TO CURRENT_USER")
    }

    /// Closed to everybody until it is isolated.
    func create(_ database: TenantDatabase) throws(PostgresError) {
        do throws(PostgresError) {
            try run(
                """
                CREATE DATABASE \(identifier: database.database)
                OWNER \(identifier: database.role)
                TEMPLATE template0
                ENCODING 'UTF8'
                ALLOW_CONNECTIONS false
                CONNECTION LIMIT \(unsafe: String(database.connectionLimit))
                """
            )
        } catch  where error.code == "42P04" || error.code == "23505" {
            // Somebody without the lock was faster; whose it is, is looked at next.
        }
    }

    func tag(_ database: TenantDatabase) throws(PostgresError) {
        try comment(on: "DATABASE", database.database, database.owner)
    }

    /// Only its owner may enter, and what it may use there is bounded.
    func close(_ database: TenantDatabase, _ limits: TenantPostgres.Limits) throws(PostgresError) {
        let name = SQL.quoted(identifier: database.database)
        let role = SQL.quoted(identifier: database.role)
        try run("REVOKE ALL ON DATABASE \(unsafe: name) FROM PUBLIC")
        try run("GRANT CONNECT, TEMPORARY ON DATABASE \(unsafe: name) TO \(unsafe: role)")
        try run("ALTER DATABASE \(unsafe: name) WITH CONNECTION LIMIT \(unsafe: String(database.connectionLimit))")
        try limit(database.role, in: database, limits)
        try run("ALTER DATABASE \(unsafe: name) WITH ALLOW_CONNECTIONS true")
    }

    /// What a login's sessions start with.
    func limit(
        _ login: String,
        in database: TenantDatabase,
        _ limits: TenantPostgres.Limits
    ) throws(PostgresError) {
        for (setting, value) in [
            ("statement_timeout", limits.tenantStatement),
            ("idle_in_transaction_session_timeout", limits.tenantIdle),
            ("lock_timeout", limits.lock),
        ] {
            try run(
                """
                ALTER ROLE \(identifier: login) IN DATABASE \(identifier: database.database)
                SET \(unsafe: setting) = \(unsafe: String(value.milliseconds))
                """
            )
        }
    }

    /// The one row that says which slot's scheduler may work; the tenant reads it, only we write it.
    ///
    /// Made once: a repetition must not take the lease back from a slot that got it since.
    func writeSchedulerLease(for role: String, slot: String) throws(PostgresError) {
        try run("CREATE SCHEMA IF NOT EXISTS signalbox")
        try run(
            """
            CREATE TABLE IF NOT EXISTS signalbox.scheduler (
                one boolean PRIMARY KEY DEFAULT true CHECK (one),
                slot text NOT NULL,
                epoch bigint NOT NULL
            )
            """
        )
        try run("INSERT INTO signalbox.scheduler (slot, epoch) VALUES (\(slot), 1) ON CONFLICT (one) DO NOTHING")
        try run("GRANT USAGE ON SCHEMA signalbox TO \(identifier: role)")
        try run("GRANT SELECT ON signalbox.scheduler TO \(identifier: role)")
    }

    func comment(on kind: String, _ name: String, _ owner: Ownership) throws(PostgresError) {
        try run(
            "COMMENT ON \(unsafe: kind) \(identifier: name) IS \(unsafe: SQL.quoted(literal: OwnershipTag.text(owner)))"
        )
    }
}
