package import Platform
internal import Postgres

/// The scheduler lease of a tenant's database.
extension TenantPostgres {
    package func handOverLease(
        of database: TenantDatabase,
        to slot: String,
        fence: String
    ) async throws(PortError) -> Int64 {
        // Whoever has something under way here has the settle lock; the next one takes its turn.
        try await settled(database, fence) { session throws(PortError) in
            guard try await standing(of: database, session) == .ours else {
                throw .conflict(
                    code: "postgres.no-database",
                    message: "the database \(database.database) is not there, or not ours"
                )
            }
            let inside = try await open(database: database.database, fence)
            let epoch: Int64
            do throws(PortError) {
                epoch = try await on(inside) { tx throws(PostgresError) in try tx.handOverLease(to: slot) }
            } catch {
                await inside.close()
                throw error
            }
            await inside.close()
            return epoch
        }
    }
}

extension Connection {
    /// One statement, so that there is never a moment with two holders, nor one with the epoch of another.
    fileprivate func handOverLease(to slot: String) throws(PostgresError) -> Int64 {
        let moved = try run(
            "UPDATE signalbox.scheduler SET slot = \(slot), epoch = epoch + 1 WHERE slot <> \(slot) RETURNING epoch"
        )
        if moved.count == 1 { return try moved.decode(0, Int64.self) }
        let held = try run("SELECT epoch FROM signalbox.scheduler WHERE slot = \(slot)")
        guard held.count == 1 else { throw PostgresError(.shape, message: "the scheduler lease is gone") }
        return try held.decode(0, Int64.self)
    }
}
