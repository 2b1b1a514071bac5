package import Commands
package import Platform
package import Postgres

/// Secrets of others in the table `log.secret`, sealed under the master key.
package struct SealedSecrets: KeptSecrets {
    private let pool: Pool
    private let keys: MasterKeys

    /// - Parameters:
    ///   - pool: As the role `signalbox_append`.
    ///   - keys: What the secrets are sealed with.
    package init(pool: Pool, keys: MasterKeys) {
        self.pool = pool
        self.keys = keys
    }

    package func keep(_ secret: Secret, as name: String) async throws(PortError) {
        let sealed: [UInt8]
        do throws(MasterKeys.Problem) {
            sealed = try keys.seal(Array(secret.revealed.utf8), as: Self.context(name))
        } catch { throw Self.blocked(name) }
        try await asked { connection throws(PostgresError) in
            _ = try connection.run(
                """
                INSERT INTO log.secret (name, sealed)
                VALUES (\(name), \(sealed))
                ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, written_at = clock_timestamp()
                """
            )
        }
    }

    package func secret(named name: String) async throws(PortError) -> Secret? {
        let sealed = try await asked { connection throws(PostgresError) -> [UInt8]? in
            let rows = try connection.run("SELECT sealed FROM log.secret WHERE name = \(name)")
            return rows.count == 0 ? nil : try rows.decode(0, [UInt8].self)
        }
        guard let sealed else { return nil }
        do throws(MasterKeys.Problem) {
            return Secret(String(decoding: try keys.open(sealed, as: Self.context(name)), as: UTF8.self))
        } catch { throw Self.blocked(name) }
    }

    private static func context(_ name: String) -> String { "kept-secret \(name)" }

    private static func blocked(_ name: String) -> PortError {
        .blocked(code: "master-key", message: "no master key opens the secret kept as \(name)")
    }

    private func asked<Value: Sendable>(
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws(PortError) -> Value {
        do throws(PostgresError) {
            return try await pool.with(body)
        } catch { throw .transient(code: "control-database", message: "the control database cannot be asked now") }
    }
}
