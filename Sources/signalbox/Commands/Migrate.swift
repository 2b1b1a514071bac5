internal import ArgumentParser
internal import EventStore
internal import Kernel
internal import Postgres

/// The command `signalbox migrate`.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the schema of the log to what this program carries.",
        discussion: """
            Reads MIGRATION_DATABASE_URL, else DATABASE_URL: a login that may become signalbox_owner, and that may create \
            roles the first time. Run twice it does nothing the second time.
            """,
        subcommands: [Apply.self, Status.self],
        defaultSubcommand: Apply.self
    )

    /// What the binary carries, ready to be applied.
    static var migrator: Migrator {
        Migrator(
            roles: Schema.roles.map { .init(name: $0.name, text: $0.text) },
            owner: "signalbox_owner",
            migrations: Schema.migrations.map { .init(name: $0.name, text: $0.text) },
            functions: Schema.functions.map { .init(name: $0.name, text: $0.text) }
        )
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Apply what is missing (the default).")

        @Flag(help: "Say what would be done, and do nothing.")
        var dryRun = false

        @OptionGroup var reach: Reach

        func run() async throws {
            let plan = try await Migrate.with(reach) { connection throws(MigrationError) in
                dryRun ? try Migrate.migrator.plan(on: connection) : try Migrate.migrator.apply(on: connection)
            }
            guard !reach.json else { return Terminal.say(try JSON.pretty(Report(plan))) }
            guard !plan.isEmpty else { return Terminal.say("the schema is up to date") }
            let verb = dryRun ? "would apply" : "applied"
            for name in plan.migrations + plan.functions { Terminal.say("\(verb) \(name)") }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what was applied when, and what is missing.")

        @OptionGroup var reach: Reach

        func run() async throws {
            let plan = try await Migrate.with(reach) { connection throws(MigrationError) in
                try Migrate.migrator.plan(on: connection)
            }
            guard !reach.json else { return Terminal.say(try JSON.pretty(Report(plan))) }
            var table = Table("MIGRATION", "APPLIED", "SHA-256")
            for one in plan.applied { table.add(one.name, "\(one.at)", String(one.checksum.prefix(12))) }
            for name in plan.migrations + plan.functions { table.add(name, "–", "") }
            Terminal.say(table.text)
        }
    }

    /// A plan as JSON.
    private struct Report: Encodable {
        struct Applied: Encodable {
            var name: String
            var checksum: String
            var at: Timestamp
        }

        var applied: [Applied]
        var migrations: [String]
        var functions: [String]

        init(_ plan: Migrator.Plan) {
            applied = plan.applied.map { Applied(name: $0.name, checksum: $0.checksum, at: $0.at) }
            migrations = plan.migrations
            functions = plan.functions
        }
    }

    private static func with(
        _ reach: Reach,
        _ body: @Sendable (isolated Connection) throws(MigrationError) -> Migrator.Plan
    ) async throws -> Migrator.Plan {
        var read = EnvironmentReader(EnvironmentReader.process)
        let url = try reach.data == nil ? read.optional("MIGRATION_DATABASE_URL") ?? reach.database : reach.database
        let connection: Connection
        do throws(PostgresError) {
            connection = try await Connection.open(url)
        } catch {
            throw Exit.because(error)
        }
        do throws(MigrationError) {
            let plan = try await body(connection)
            await connection.close()
            return plan
        } catch {
            await connection.close()
            throw Exit.failed(error.description)
        }
    }
}
