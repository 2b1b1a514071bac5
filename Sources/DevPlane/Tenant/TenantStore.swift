internal import Kernel
internal import Postgres

/// The tenant's own database: one row that counts, and the lease that says whose scheduler works.
actor TenantStore {
    /// What the row says.
    struct Visits: Sendable, Equatable {
        var starts: Int64
        var visits: Int64
        var database: String
        var user: String
    }

    /// Who may work, as the control plane wrote it.
    struct Lease: Sendable, Equatable {
        var slot: String
        var epoch: Int64
    }

    private let environment: TenantEnvironment
    private var connection: Connection?

    init(_ environment: TenantEnvironment) {
        self.environment = environment
    }

    /// Makes the row if it is not there, and counts one more start.
    func begin() async throws(PostgresError) {
        try await use { connection throws(PostgresError) in
            try connection.script(
                """
                CREATE TABLE IF NOT EXISTS tenant_visit (
                    one boolean PRIMARY KEY DEFAULT true CHECK (one),
                    organization text NOT NULL,
                    starts bigint NOT NULL,
                    visits bigint NOT NULL
                )
                """
            )
            try connection.run(
                """
                INSERT INTO tenant_visit AS v (organization, starts, visits)
                VALUES (\(self.environment.organization), 1, 0)
                ON CONFLICT (one) DO UPDATE SET starts = v.starts + 1
                """
            )
        }
    }

    /// Remembers which image brought the database to where it is; a column more harms nobody.
    func migrate() async throws(PostgresError) {
        try await use { connection throws(PostgresError) in
            try connection.run("ALTER TABLE tenant_visit ADD COLUMN IF NOT EXISTS migrated_by text")
            try connection.run("UPDATE tenant_visit SET migrated_by = \(self.environment.image)")
        }
    }

    /// Counts one more visit.
    func visit() async throws(PostgresError) -> Visits {
        try await use { connection throws(PostgresError) in
            let rows = try connection.run(
                """
                UPDATE tenant_visit
                SET visits = visits + 1
                RETURNING starts, visits, current_database()::text, current_user::text
                """
            )
            guard rows.count == 1 else { throw PostgresError(.shape, message: "the tenant's row is gone") }
            let (starts, visits, database, user) = try rows.decode(0, Int64.self, Int64.self, String.self, String.self)
            return Visits(starts: starts, visits: visits, database: database, user: user)
        }
    }

    /// `nil` when nobody has written one.
    func lease() async throws(PostgresError) -> Lease? {
        try await use { connection throws(PostgresError) in
            let exists = try connection.run("SELECT to_regclass('signalbox.scheduler') IS NOT NULL").decode(
                0,
                Bool.self
            )
            guard exists else { return nil }
            let rows = try connection.run("SELECT slot, epoch FROM signalbox.scheduler")
            guard rows.count == 1 else { return nil }
            let (slot, epoch) = try rows.decode(0, String.self, Int64.self)
            return Lease(slot: slot, epoch: epoch)
        }
    }

    /// Runs something on the one session there is; a lost one is replaced once.
    private func use<Value: Sendable>(
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        if let connection {
            do throws(PostgresError) {
                return try await body(connection)
            } catch {
                guard error.kind == .lost else { throw error }
                await connection.close()
                self.connection = nil
            }
        }
        let fresh = try await Connection.open(environment.conninfo)
        connection = fresh
        return try await body(fresh)
    }
}
