internal import Kernel

/// What the table `meta.migration` says was applied.
struct Ledger {
    enum Kind: String {
        case migration
        case function
    }

    var migrations: [Migrator.Applied] = []
    /// The checksum of each function.
    var functions: [String: String] = [:]

    /// Reads it; empty when there is none yet.
    init(on connection: isolated Connection) throws(PostgresError) {
        // `to_regclass` would need the right to look into the schema, which might be all that is missing.
        let exists = try connection.run(
            """
            SELECT count(*)
              FROM pg_class AS c
              JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = 'meta' AND c.relname = 'migration'
            """
        ).column(Int.self)
        guard exists == [1] else { return }
        let rows = try connection.run(
            "SELECT name, kind, checksum, applied_at FROM meta.migration ORDER BY name COLLATE \"C\""
        )
        for (name, kind, checksum, at) in try rows.all(String.self, String.self, String.self, Timestamp.self) {
            switch kind {
            case Kind.migration.rawValue: migrations.append(.init(name: name, checksum: checksum, at: at))
            default: functions[name] = checksum
            }
        }
    }

    static func create(on connection: isolated Connection) throws(PostgresError) {
        // Everyone may look: `migrate status` and the check at start run as whoever logs in.
        try connection.script(
            """
            CREATE SCHEMA IF NOT EXISTS meta;
            CREATE TABLE IF NOT EXISTS meta.migration (
                name       text        PRIMARY KEY,
                kind       text        NOT NULL CHECK (kind IN ('migration', 'function')),
                checksum   text        NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
                applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                applied_by text        NOT NULL DEFAULT session_user
            );
            GRANT USAGE ON SCHEMA meta TO PUBLIC;
            GRANT SELECT ON meta.migration TO PUBLIC
            """
        )
    }

    static func enter(
        _ name: String,
        kind: Kind,
        checksum: String?,
        on connection: isolated Connection
    ) throws(PostgresError) {
        try connection.run(
            """
            INSERT INTO meta.migration (name, kind, checksum)
            VALUES (\(name), \(kind.rawValue), \(checksum))
            ON CONFLICT (name) DO UPDATE
                SET checksum = excluded.checksum, applied_at = clock_timestamp(), applied_by = session_user
                WHERE migration.kind = 'function'
            """
        )
    }

    /// What is missing, or why nothing may be done.
    func plan(
        migrations carried: [Migrator.Script],
        functions texts: [Migrator.Script],
        checksums: [String: String]
    ) throws(MigrationError) -> Migrator.Plan {
        var names: Set<String> = []
        for script in carried + texts where !names.insert(script.name).inserted { throw .twice(script.name) }
        let known = Set(carried.map(\.name))
        for done in migrations {
            guard known.contains(done.name) else { throw .unknown(done.name) }
            guard checksums[done.name] == done.checksum else { throw .changed(done.name) }
        }
        let applied = Set(migrations.map(\.name))
        let pending = carried.map(\.name).filter { !applied.contains($0) }
        if let first = pending.first, let last = migrations.last?.name, first < last {
            throw .outOfOrder(first, before: last)
        }
        return Migrator.Plan(
            applied: migrations,
            migrations: pending,
            functions: texts.map(\.name).filter { functions[$0] != checksums[$0] }
        )
    }
}
