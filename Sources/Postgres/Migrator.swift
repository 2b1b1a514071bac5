package import Kernel

/// Brings a database's schema to what this binary carries, and refuses to touch one that it does not understand.
///
/// Migrations run once, in the order of their names, each in its own transaction together with its line in the ledger
/// `meta.migration`. Functions are replaced whenever their text changed, after the migrations, all in one transaction.
/// Only one migrator works at a time, whatever the number of hosts.
package struct Migrator: Sendable {
    /// One SQL text.
    package struct Script: Sendable, Equatable {
        /// What the ledger calls it; migrations are ordered by it (`V0001__event_log.sql`).
        package let name: String
        package let text: String

        package init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    /// What is done, or would be.
    package struct Plan: Sendable, Equatable {
        /// Migrations that the ledger had already, in order.
        package var applied: [Applied] = []
        /// Migrations to run, in order.
        package var migrations: [String] = []
        /// Functions to create or replace, in order.
        package var functions: [String] = []

        /// Whether the database is as this binary wants it.
        package var isEmpty: Bool { migrations.isEmpty && functions.isEmpty }
    }

    /// One migration that was run.
    package struct Applied: Sendable, Equatable {
        package let name: String
        /// SHA-256 of the text, in hex.
        package let checksum: String
        package let at: Timestamp
    }

    private static let lock = "hashtextextended('signalbox.migrator', 0)"

    private let roles: Script?
    private let owner: String?
    private let migrations: [Script]
    private let functions: [Script]
    private let lockWait: Duration

    /// - Parameters:
    ///   - roles: A repeatable text that makes the cluster's roles; run first each time, by whoever may create roles and
    ///     skipped by whoever may not.
    ///   - owner: Who to become for everything after ``roles``.
    ///   - migrations: Every migration there ever was.
    ///   - functions: Texts that may be run again and again (`CREATE OR REPLACE`).
    ///   - lockWait: How long to wait for another migrator to finish.
    package init(
        roles: Script? = nil,
        owner: String? = nil,
        migrations: [Script],
        functions: [Script],
        lockWait: Duration = .seconds(60)
    ) {
        self.roles = roles
        self.owner = owner
        self.migrations = migrations.sorted { $0.name < $1.name }
        self.functions = functions.sorted { $0.name < $1.name }
        self.lockWait = lockWait
    }

    /// What ``apply(on:)`` would do; changes nothing.
    ///
    /// - Parameter connection: To the database, as anyone: all may read the ledger.
    /// - Returns: The plan; empty when there is nothing to do.
    /// - Throws: ``MigrationError`` when the database is not one that this binary may migrate.
    package func plan(on connection: isolated Connection) throws(MigrationError) -> Plan {
        let sums = try checksums(on: connection)
        let ledger = try attempt { () throws(PostgresError) in try Ledger(on: connection) }
        return try ledger.plan(migrations: migrations, functions: functions, checksums: sums)
    }

    /// Applies what is missing.
    ///
    /// Run twice, or from many hosts at once, the second finds nothing to do.
    ///
    /// - Parameter connection: To the database, as someone who may become the owner; its limit is as before afterwards.
    /// - Returns: What was done.
    /// - Throws: ``MigrationError``; everything before the script it names has been applied and stays.
    package func apply(on connection: isolated Connection) throws(MigrationError) -> Plan {
        let limit = connection.statementLimit
        defer {
            // A lost connection has nothing to give back, and the server forgets the lock with the session.
            try? connection.script("RESET ROLE")
            try? connection.script("SELECT pg_advisory_unlock(\(Self.lock))")
            try? connection.limit(statement: limit)
        }
        try takeLock(on: connection)
        try becomeOwner(on: connection)
        try attempt { () throws(PostgresError) in try Ledger.create(on: connection) }
        let plan = try plan(on: connection)
        let sums = try checksums(on: connection)
        for script in migrations where plan.migrations.contains(script.name) {
            try atomically(on: connection) { () throws(MigrationError) in
                try attempt(script.name) { () throws(PostgresError) in
                    try connection.script(script.text)
                    try Ledger.enter(script.name, kind: .migration, checksum: sums[script.name], on: connection)
                }
            }
        }
        if !plan.functions.isEmpty { try replace(plan.functions, checksums: sums, on: connection) }
        return plan
    }

    private func replace(
        _ names: [String],
        checksums: [String: String],
        on connection: isolated Connection
    ) throws(MigrationError) {
        let changed = functions.filter { names.contains($0.name) }
        try atomically(on: connection) { () throws(MigrationError) in
            // Bodies may name functions of later files, so they are checked only once all are there.
            for check in ["off", "on"] {
                try attempt { () throws(PostgresError) in
                    try connection.script("SET LOCAL check_function_bodies = \(check)")
                }
                for script in changed {
                    try attempt(script.name) { () throws(PostgresError) in try connection.script(script.text) }
                }
            }
            for script in changed {
                try attempt { () throws(PostgresError) in
                    try Ledger.enter(script.name, kind: .function, checksum: checksums[script.name], on: connection)
                }
            }
        }
    }

    private func takeLock(on connection: isolated Connection) throws(MigrationError) {
        do throws(PostgresError) {
            try connection.script("SET lock_timeout = \(lockWait.milliseconds)")
            try connection.limit(statement: nil)
            try connection.script("SELECT pg_advisory_lock(\(Self.lock))")
            try connection.script("RESET lock_timeout")
        } catch {
            guard error.isLockUnavailable else { throw .database(error) }
            throw .locked
        }
    }

    private func becomeOwner(on connection: isolated Connection) throws(MigrationError) {
        if let roles {
            let may: [Bool] = try attempt { () throws(PostgresError) in
                try connection.run("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
                    .column(Bool.self)
            }
            if may == [true] {
                try attempt(roles.name) { () throws(PostgresError) in try connection.script(roles.text) }
            }
        }
        guard let owner else { return }
        try attempt { () throws(PostgresError) in try connection.script("SET ROLE \(SQL.quoted(identifier: owner))") }
    }

    /// SHA-256 of every text by its name, computed by the server, since this floor has no cryptography of its own.
    private func checksums(on connection: isolated Connection) throws(MigrationError) -> [String: String] {
        let scripts = migrations + functions
        let sums = try attempt { () throws(PostgresError) in
            try connection.run(
                """
                SELECT encode(sha256(convert_to(body, 'UTF8')), 'hex')
                  FROM unnest(\(array: scripts.map(\.text))) WITH ORDINALITY AS script (body, place)
                 ORDER BY place
                """
            ).column(String.self)
        }
        return Dictionary(zip(scripts.map(\.name), sums)) { first, _ in first }
    }

    private func atomically(
        on connection: isolated Connection,
        _ body: () throws(MigrationError) -> Void
    ) throws(MigrationError) {
        try attempt { () throws(PostgresError) in try connection.script("BEGIN") }
        do throws(MigrationError) {
            try body()
            try attempt { () throws(PostgresError) in try connection.commit() }
        } catch {
            connection.rollback()
            throw error
        }
    }

    private func attempt<Value>(
        _ script: String? = nil,
        _ body: () throws(PostgresError) -> Value
    ) throws(MigrationError) -> Value {
        do throws(PostgresError) {
            return try body()
        } catch {
            guard let script, error.kind == .refused else { throw .database(error) }
            throw .failed(script, error)
        }
    }
}
