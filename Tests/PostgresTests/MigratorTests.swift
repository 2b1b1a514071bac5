import Postgres
import SignalboxTestKit
import Testing

@Suite("Migrator")
struct MigratorTests {
    private static let first = Migrator.Script(name: "V0001__one.sql", text: "CREATE TABLE one (id bigint)")
    private static let second = Migrator.Script(name: "V0002__two.sql", text: "CREATE TABLE two (id bigint)")
    private static let function = Migrator.Script(
        name: "a.sql",
        text: "CREATE OR REPLACE FUNCTION a() RETURNS bigint LANGUAGE sql AS 'SELECT b()'"
    )
    private static let called = Migrator.Script(
        name: "b.sql",
        text: "CREATE OR REPLACE FUNCTION b() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM two'"
    )

    @Test("applies what is missing, once, in order, and functions whatever they call")
    func applies() async throws {
        try await withDatabase(.empty) { database in
            let connection = try await Connection.open(database.superuser)
            let migrator = Migrator(migrations: [Self.second, Self.first], functions: [Self.function, Self.called])
            let plan = try await migrator.plan(on: connection)
            #expect(plan.migrations == ["V0001__one.sql", "V0002__two.sql"])
            #expect(plan.functions == ["a.sql", "b.sql"])
            #expect(try await connection.run("SELECT 1 FROM pg_namespace WHERE nspname = 'meta'").count == 0)
            #expect(try await migrator.apply(on: connection) == plan)
            #expect(try await connection.run("SELECT a()").column(Int.self) == [0])
            let again = try await migrator.apply(on: connection)
            #expect(again.isEmpty)
            #expect(again.applied.map(\.name) == ["V0001__one.sql", "V0002__two.sql"])
            #expect(try await connection.run("SHOW statement_timeout").column(String.self) == ["30s"])
        }
    }

    @Test("adds a later migration and replaces a changed function, and nothing else")
    func later() async throws {
        try await withDatabase(.empty) { database in
            let connection = try await Connection.open(database.superuser)
            _ = try await Migrator(migrations: [Self.first], functions: []).apply(on: connection)
            _ = try await Migrator(migrations: [Self.first, Self.second], functions: [Self.called]).apply(
                on: connection
            )
            let changed = Migrator.Script(
                name: "b.sql",
                text: Self.called.text.replacing("count(*)", with: "count(*) + 5")
            )
            let plan = try await Migrator(migrations: [Self.first, Self.second], functions: [changed]).apply(
                on: connection
            )
            #expect(plan.migrations.isEmpty)
            #expect(plan.functions == ["b.sql"])
            #expect(try await connection.run("SELECT b()").column(Int.self) == [5])
        }
    }

    @Test("refuses a changed, an unknown, a late and a doubled migration, and touches nothing")
    func refuses() async throws {
        try await withDatabase(.empty) { database in
            let connection = try await Connection.open(database.superuser)
            _ = try await Migrator(migrations: [Self.first, Self.second], functions: []).apply(on: connection)
            let changed = Migrator.Script(name: Self.first.name, text: "CREATE TABLE other (id bigint)")
            let late = Migrator.Script(name: "V0001a__late.sql", text: "CREATE TABLE late (id bigint)")
            let cases: [([Migrator.Script], MigrationError)] = [
                ([changed, Self.second], .changed(Self.first.name)),
                ([Self.first], .unknown(Self.second.name)),
                ([Self.first, late, Self.second], .outOfOrder(late.name, before: Self.second.name)),
                ([Self.first, Self.second, Self.second], .twice(Self.second.name)),
            ]
            for (migrations, error) in cases {
                let migrator = Migrator(migrations: migrations, functions: [Self.called])
                await #expect(throws: error) { _ = try await migrator.plan(on: connection) }
                await #expect(throws: error) { _ = try await migrator.apply(on: connection) }
            }
            let made = try await connection.run("SELECT 1 FROM pg_class WHERE relname IN ('other', 'late')").count
            #expect(made == 0)
        }
    }

    @Test("takes back all of a migration that fails, keeps those before it, and lets go of its lock")
    func fails() async throws {
        try await withDatabase(.empty) { database in
            let connection = try await Connection.open(database.superuser)
            let broken = Migrator.Script(name: "V0002__broken.sql", text: "CREATE TABLE half (id bigint); SELECT 1 / 0")
            let error = await #expect(throws: MigrationError.self) {
                _ = try await Migrator(migrations: [Self.first, broken], functions: []).apply(on: connection)
            }
            guard case .failed("V0002__broken.sql", let cause) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(cause.code == "22012")
            #expect(try await connection.run("SELECT 1 FROM pg_class WHERE relname = 'half'").count == 0)
            #expect(
                try await connection.run("SELECT name FROM meta.migration").column(String.self) == [Self.first.name]
            )
            #expect(
                try await connection.run(
                    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
                ).count == 0
            )
        }
    }

    @Test("applies each migration once when many start together")
    func together() async throws {
        try await withDatabase(.empty) { database in
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        let connection = try await Connection.open(database.superuser)
                        return try await Migrator(migrations: [Self.first, Self.second], functions: []).apply(
                            on: connection
                        )
                        .migrations.count
                    }
                }
                let applied = try await group.reduce(0, +)
                #expect(applied == 2)
            }
        }
    }

    @Test("says so when another one holds the lock too long")
    func locked() async throws {
        try await withDatabase(.empty) { database in
            let holder = try await Connection.open(database.superuser)
            try await holder.script("SELECT pg_advisory_lock(hashtextextended('signalbox.migrator', 0))")
            let connection = try await Connection.open(database.superuser)
            let migrator = Migrator(migrations: [Self.first], functions: [], lockWait: .milliseconds(50))
            await #expect(throws: MigrationError.locked) { _ = try await migrator.apply(on: connection) }
            await holder.close()
            #expect(try await migrator.apply(on: connection).migrations == [Self.first.name])
        }
    }

    @Test("works as the owner when told to, and becomes itself again")
    func owner() async throws {
        try await withDatabase(.empty) { database in
            let connection = try await Connection.open(database.superuser)
            let roles = Migrator.Script(
                name: "roles.sql",
                text: """
                    DO $$ BEGIN CREATE ROLE migrator_test_owner; EXCEPTION WHEN duplicate_object THEN END $$;
                    DO $$ BEGIN
                        EXECUTE format('GRANT CREATE ON DATABASE %I TO migrator_test_owner', current_database());
                    END $$
                    """
            )
            let table = Migrator.Script(name: "V0001__t.sql", text: "CREATE SCHEMA s; CREATE TABLE s.t (id bigint)")
            _ = try await Migrator(roles: roles, owner: "migrator_test_owner", migrations: [table], functions: [])
                .apply(on: connection)
            let owner: SQL = "SELECT tableowner::text FROM pg_tables WHERE tablename = 't'"
            #expect(try await connection.run(owner).column(String.self) == ["migrator_test_owner"])
            #expect(try await connection.run("SELECT current_user::text").column(String.self) == ["postgres"])
        }
    }
}
