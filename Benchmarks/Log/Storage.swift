internal import BenchmarkKit
internal import EventStore
internal import Kernel
internal import Postgres
internal import SignalboxTestKit

/// What an event costs on the disk, column by column.
struct Storage: Sendable {
    let database: TestDatabase

    /// Bytes per row of every column and index of the tables that an append writes.
    func tables() async throws -> [Table] {
        let connection = try await Connection.open(database.superuser)
        try await connection.script("VACUUM (ANALYZE) log.event, log.stream, log.command")
        let tables = [
            try await table("log.event", wanted: " (wanted: ≤ 640)", connection),
            try await table("log.command", wanted: " (wanted: ≤ 180)", connection),
            try await table("log.stream", wanted: "", connection),
        ]
        await connection.close()
        return tables
    }

    /// Bytes of write-ahead log for each event of a load.
    func wal(of load: Load, for time: Duration) async throws -> Double {
        let connection = try await Connection.open(database.superuser)
        let before = try await Self.lsn(connection)
        let sample = try await Appends(database: database, durability: .pipelined).measure(load, for: time)
        let after = try await Self.lsn(connection)
        await connection.close()
        // The first tenth of the time is written but not counted.
        return Double(after - before) / (Double(sample.events) * 1.1)
    }

    private static func lsn(_ connection: isolated Connection) throws(PostgresError) -> Int64 {
        try connection.run("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").decode(0, Int64.self)
    }

    private func table(
        _ name: String,
        wanted: String,
        _ connection: isolated Connection
    ) throws(PostgresError) -> Table {
        var table = Table(title: "Bytes per row of \(name)", columns: ["", "bytes"])
        let rows = try connection.run("SELECT count(*) FROM \(unsafe: name)").decode(0, Int64.self)
        let count = Double(max(1, rows))
        // A partitioned table has its bytes in its partitions.
        let parts = """
            SELECT oid AS relid FROM pg_class WHERE oid = '\(name)'::regclass AND relkind = 'r'
            UNION ALL
            SELECT inhrelid FROM pg_inherits WHERE inhparent = '\(name)'::regclass
            """
        let heap = try connection.run(
            "WITH part AS (\(unsafe: parts)) SELECT sum(pg_table_size(relid))::bigint FROM part"
        ).decode(0, Int64.self)
        let columns = try connection.run(
            """
            SELECT attname::text FROM pg_attribute
             WHERE attrelid = \(name)::regclass AND attnum > 0 AND NOT attisdropped
             ORDER BY attnum
            """
        ).column(String.self)
        var sum = 0.0
        for column in columns {
            let bytes = try connection.run(
                """
                SELECT coalesce(sum(pg_column_size(\(unsafe: column))), 0)::float8 / greatest(count(*), 1)
                  FROM (SELECT \(unsafe: column) FROM \(unsafe: name) LIMIT 100000) AS e
                """
            ).decode(0, Double.self)
            sum += bytes
            table.rows.append([column, Table.decimal(bytes, 1)])
        }
        var total = Double(heap) / count
        table.rows.append(["row header, item pointer, padding, free space", Table.decimal(total - sum, 1)])
        let indexes = try connection.run(
            """
            WITH part AS (\(unsafe: parts))
            SELECT regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', ''),
                   sum(pg_relation_size(i.indexrelid))::bigint
              FROM part
              JOIN pg_index AS i ON i.indrelid = part.relid
             GROUP BY 1
             ORDER BY 1
            """
        )
        for row in 0..<indexes.count {
            let (definition, bytes) = try indexes.decode(row, String.self, Int64.self)
            total += Double(bytes) / count
            table.rows.append(["index: \(definition)", Table.decimal(Double(bytes) / count, 1)])
        }
        table.rows.append(["all of it\(wanted)", Table.decimal(total, 1)])
        return table
    }
}
