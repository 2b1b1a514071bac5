package import Platform
internal import Postgres

/// Makes tenants' databases on a Postgres cluster (15 or later) that `signalbox provision prepare` was run on.
///
/// Its login is no superuser: it may create databases and roles, and becomes a member of every role it makes, which is
/// how it may hand them databases. Every call holds the advisory lock of the database's name on the database
/// `postgres`, because a session that died may still be at work there: the lock is free only once it is settled.
package struct TenantPostgres: DatabaseProvisioner {
    /// How long to wait, and what tenants are limited to.
    package struct Limits: Sendable {
        /// For the settle lock and any other lock.
        package var lock: Duration
        /// For one statement of ours; `CREATE DATABASE` is the long one.
        package var statement: Duration
        /// What a tenant's statements start with; it may change it for itself.
        package var tenantStatement: Duration
        /// The same for a transaction that does nothing.
        package var tenantIdle: Duration
        /// Sessions of ours at a time; Postgres makes one database after the other anyway.
        package var sessions: Int

        package init(
            lock: Duration = .seconds(10),
            statement: Duration = .seconds(60),
            tenantStatement: Duration = .seconds(30),
            tenantIdle: Duration = .seconds(60),
            sessions: Int = 4
        ) {
            self.lock = lock
            self.statement = statement
            self.tenantStatement = tenantStatement
            self.tenantIdle = tenantIdle
            self.sessions = sessions
        }
    }

    package let address: DatabaseAddress
    let conninfo: String
    let limits: Limits
    private let closed: [String]
    private let turnstile: Turnstile

    /// A way to one cluster.
    ///
    /// - Parameters:
    ///   - conninfo: The provisioner's login, to the database `postgres` of the tenant cluster.
    ///   - address: Where tenants find the cluster.
    ///   - protecting: Databases besides `postgres` and `template1` that tenants must not enter: the control database,
    ///     when it is on the same cluster.
    ///   - limits: How long to wait, and what tenants are limited to.
    package init(
        conninfo: String,
        address: DatabaseAddress,
        protecting: [String] = [],
        limits: Limits = Limits()
    ) {
        self.conninfo = conninfo
        self.address = address
        self.limits = limits
        self.closed = ["postgres", "template1"] + protecting
        self.turnstile = Turnstile(limits.sessions)
    }

    package func ensureRole(
        _ database: TenantDatabase,
        password: Secret,
        fence: String
    ) async throws(PortError) {
        let verifier = try SCRAMVerifier(password: password)
        try await settled(database, fence) { session throws(PortError) in
            try await refuseUnprepared(session)
            let found = try await on(session) { tx throws(PostgresError) in try tx.tenantRole(database.role) }
            if let found, Standing(comment: found.comment, towards: database.owner) != .ours {
                throw Self.taken("role", database.role, found.comment, database.owner)
            }
            try await transaction(session) { tx throws(PostgresError) in
                try tx.make(database, verifier, again: found != nil)
            }
        }
    }

    package func ensureDatabase(_ database: TenantDatabase, fence: String) async throws(PortError) {
        try await settled(database, fence) { session throws(PortError) in
            try await refuseUnprepared(session)
            guard
                let role = try await on(session, { tx throws(PostgresError) in try tx.tenantRole(database.role) }),
                Standing(comment: role.comment, towards: database.owner) == .ours
            else {
                throw .conflict(
                    code: "postgres.no-role",
                    message: "the role \(database.role) is not there, or not ours"
                )
            }
            if try await standing(of: database, session) == nil {
                try await on(session) { tx throws(PostgresError) in try tx.create(database) }
            }
            guard let standing = try await standing(of: database, session), standing == .ours else {
                throw Self.taken("database", database.database, nil, database.owner)
            }
            try await on(session) { tx throws(PostgresError) in try tx.tag(database) }
        }
    }

    package func isolate(_ database: TenantDatabase, slot: String, fence: String) async throws(PortError) {
        try await settled(database, fence) { session throws(PortError) in
            try await refuseUnprepared(session)
            guard try await standing(of: database, session) == .ours else {
                throw .conflict(
                    code: "postgres.no-database",
                    message: "the database \(database.database) is not there, or not ours"
                )
            }
            try await transaction(session) { tx throws(PostgresError) in try tx.close(database, limits) }
            let inside = try await open(database: database.database, fence)
            try await transaction(inside) { tx throws(PostgresError) in
                try tx.writeSchedulerLease(for: database.role, slot: slot)
            }
            await inside.close()
        }
    }

    package func probeRole(_ database: TenantDatabase) async throws(PortError) -> Presence<Bool> {
        try await settled(database, "probe") { session throws(PortError) in
            let role = try await on(session) { tx throws(PostgresError) in try tx.tenantRole(database.role) }
            guard let role else { return .absent }
            let standing = Standing(comment: role.comment, towards: database.owner)
            return Self.presence(standing, "role \(database.role)", role.mayLogIn)
        }
    }

    package func probeDatabase(_ database: TenantDatabase) async throws(PortError) -> Presence<Bool> {
        try await settled(database, "probe") { session throws(PortError) in
            try await on(session) { tx throws(PostgresError) in
                guard let found = try tx.tenantDatabase(database.database) else { return .absent }
                let standing = found.standing(towards: database, role: try tx.tenantRole(database.role))
                return Self.presence(standing, "database \(database.database)", found.allowsConnections)
            }
        }
    }

    private static func presence(_ standing: Standing, _ what: String, _ usable: Bool) -> Presence<Bool> {
        switch standing {
        case .ours: .present(usable)
        case .newer: .newer
        case .older, .foreign: .foreign("the \(what) is not ours")
        }
    }

    private static func taken(_ kind: String, _ name: String, _ comment: String?, _ owner: Ownership) -> PortError {
        if Standing(comment: comment, towards: owner) == .newer {
            return .superseded(message: "the \(kind) \(name) is of a newer generation")
        }
        return .permanent(code: "postgres.name-taken", message: "the \(kind) \(name) is not ours")
    }
}

extension TenantPostgres {
    /// Runs `body` on a session of its own that holds the settle lock; closing the session gives it back.
    func settled<Value: Sendable>(
        _ database: TenantDatabase,
        _ fence: String,
        _ body: (Connection) async throws(PortError) -> Value
    ) async throws(PortError) -> Value {
        try Self.check(database)
        await turnstile.enter()
        let outcome: Result<Value, PortError>
        do throws(PortError) {
            let session = try await open(database: nil, fence)
            do throws(PortError) {
                // Whoever was stopped, or whose machine is gone, must not hold the lock for ever: the server ends a session
                // that has been quiet for longer than any statement beside it may take.
                try await on(session) { tx throws(PostgresError) in
                    try tx.script(
                        """
                        SET idle_session_timeout = \((limits.statement * 4).milliseconds);
                        SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3
                        """
                    )
                }
                try await on(session) { tx throws(PostgresError) in
                    try tx.run("SELECT pg_advisory_lock(hashtextextended(\(database.database), 0))")
                }
                try await EffectLease.require()
                outcome = .success(try await body(session))
            } catch {
                outcome = .failure(error)
            }
            await session.close()
        } catch {
            outcome = .failure(error)
        }
        await turnstile.leave()
        return try outcome.get()
    }

    /// A session whose `application_name` says who is at work.
    func open(database: String?, _ fence: String) async throws(PortError) -> Connection {
        var parameters = [("application_name", fence)]
        if let database { parameters.append(("dbname", database)) }
        do throws(PostgresError) {
            let session = try await Connection.open(
                ConnectionString.replacing(parameters, in: conninfo),
                limits: SessionLimits(statement: limits.statement)
            )
            try await session.script("SET lock_timeout = \(limits.lock.milliseconds)")
            return session
        } catch {
            throw PortError(tenant: error)
        }
    }

    /// Runs statements one by one on the session's thread.
    func on<Value: Sendable>(
        _ session: Connection,
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws(PortError) -> Value {
        do throws(PostgresError) {
            return try await perform(session, body)
        } catch {
            throw PortError(tenant: error)
        }
    }

    func transaction(
        _ session: Connection,
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Void
    ) async throws(PortError) {
        do throws(PostgresError) {
            try await session.transaction(.readCommitted, body)
        } catch {
            throw PortError(tenant: error)
        }
    }

    private func perform<Value: Sendable>(
        _ session: isolated Connection,
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        try body(session)
    }

    func standing(of database: TenantDatabase, _ session: Connection) async throws(PortError) -> Standing? {
        try await on(session) { tx throws(PostgresError) in
            guard let found = try tx.tenantDatabase(database.database) else { return nil }
            let role = try tx.tenantRole(database.role)
            return found.standing(towards: database, role: role)
        }
    }

    /// On a cluster that lets everybody into a shared database, no tenant's database is made.
    private func refuseUnprepared(_ session: Connection) async throws(PortError) {
        let closed = closed
        let open = try await on(session) { tx throws(PostgresError) in try tx.databasesOpenToAll(among: closed) }
        guard open.isEmpty else {
            throw .blocked(
                code: "postgres.unprepared",
                message: "everybody may connect to \(open.joined(separator: ", ")); run `signalbox provision prepare`"
            )
        }
    }

    /// Postgres would cut a longer name silently, and two tenants' names could become one.
    private static func check(_ database: TenantDatabase) throws(PortError) {
        try check(database.database)
        try check(database.role)
    }

    static func check(_ name: String) throws(PortError) {
        let letters = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
        guard (1...63).contains(name.utf8.count), letters else {
            throw .permanent(
                code: "postgres.name",
                message: "\"\(name)\" is no name of 1 to 63 letters, digits and _"
            )
        }
    }
}

extension Duration {
    var milliseconds: Int64 { nanoseconds / 1_000_000 }
}

/// Lets so many in at a time; who waits is let in first come, first served.
///
/// Waiting is not cancellable: those inside are bounded by their own timeouts.
private actor Turnstile {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) {
        free = max(1, count)
    }

    func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
