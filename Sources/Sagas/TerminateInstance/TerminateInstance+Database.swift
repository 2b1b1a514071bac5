internal import Commands
internal import Domain
internal import Kernel
internal import Platform

extension TerminateInstance {
    /// All of the database in a file; nothing writes to it any more.
    func backUp(_ context: StepContext) async throws(PortError) -> StepResult {
        guard try hasDatabase(context) else { return .skipped(why: "there is no database") }
        guard let backups = ports.backups else {
            throw .blocked(code: "no-backups", message: "no place for backups is configured (BACKUP_DIR)")
        }
        let input = try lifecycle.input(context)
        let database = lifecycle.provisioning.database(input, context)
        // Whoever has lost the lease may still be writing; so every attempt has a file of its own.
        let attempt = context.fence.split(separator: "/").last.map(String.init) ?? ""
        let made = try await backups.backUp(
            database,
            name: "\(database.database)-\(context.saga)-\(attempt)a\(context.attempt)",
            fence: context.fence
        )
        let fact = InstanceEvent.BackedUp(
            database: database.database,
            path: made.path,
            size: made.size,
            sha256: made.sha256
        )
        return .done(
            StepOutcome(
                output: [
                    "path": .string(made.path), "size": .integer(made.size), "sha256": .string(made.sha256),
                ],
                facts: [.instance(input.instance, .recordBackup(fact))]
            )
        )
    }

    /// Out of reach, and kept for a while; that starts the saga that drops it.
    func quarantineDatabase(_ context: StepContext) async throws(PortError) -> StepResult {
        guard try hasDatabase(context) else { return .skipped(why: "there is no database") }
        let input = try lifecycle.input(context)
        let database = lifecycle.provisioning.database(input, context)
        let renamed = Names.quarantined(database.database, at: context.saga)
        try await ports.databases.quarantineDatabase(database, as: renamed, fence: context.fence)
        let fact = InstanceEvent.DatabaseQuarantined(
            database: database.database,
            renamed: renamed,
            until: context.now + ports.settings.quarantine
        )
        return .done(
            StepOutcome(
                output: ["renamed": .string(renamed)],
                facts: [.instance(input.instance, .recordDatabaseQuarantined(fact))]
            )
        )
    }

    private func hasDatabase(_ context: StepContext) throws(PortError) -> Bool {
        guard let found = context.outputs["take-stock"]?["database"]?.bool else {
            throw .blocked(code: "output-missing", message: "take-stock did not say whether there is a database")
        }
        return found
    }
}

extension Names {
    /// What a database is called that was put aside: `zz_{name}_{unix seconds}`, the same whenever it is asked.
    ///
    /// The time is that of the saga's cause: the first 48 bits of its id are milliseconds (RFC 9562, version 7). A name that
    /// would be too long for Postgres loses its beginning, which is the same for all.
    static func quarantined(_ database: String, at saga: UniqueID) -> String {
        let seconds = String((saga.value >> 80) / 1000)
        return "\(quarantine)\(database.suffix(63 - 4 - seconds.utf8.count))_\(seconds)"
    }

    /// Whether a name is one that a database has been given by ``quarantined(_:at:)``.
    static func isAside(_ name: String, of database: String) -> Bool {
        guard name.hasPrefix(quarantine), let mark = name.lastIndex(of: "_") else { return false }
        let kept = name[..<mark].dropFirst(quarantine.count)
        return !kept.isEmpty && (kept == database || name.utf8.count == 63 && database.hasSuffix(kept))
    }
}
