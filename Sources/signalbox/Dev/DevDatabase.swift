internal import Adapters
internal import Kernel
internal import Platform
internal import Postgres

/// The databases of the embedded cluster: the log's own, and everything that tenants' ones need.
struct DevDatabase {
    static let name = "signalbox"
    static let provisioner = "signalbox_provisioner"

    let postgres: EmbeddedPostgres
    let keys: DevKeys

    /// How the server logs in: `signalbox`, which may nothing until it says `SET ROLE`.
    var login: String {
        Settings.conninfo(
            host: postgres.socket,
            port: postgres.port,
            name: Self.name,
            user: "signalbox",
            password: keys.login
        )
    }

    /// Makes and migrates what is missing; done every time, because a start may have been cut short.
    func prepare() async throws {
        let maintenance = try await Connection.open(postgres.superuser())
        let exists = try await maintenance.run("SELECT 1::int8 FROM pg_database WHERE datname = \(Self.name)").count > 0
        if !exists { try await maintenance.script("CREATE DATABASE \(Self.name)") }
        await maintenance.close()
        let connection = try await Connection.open(postgres.superuser(database: Self.name))
        _ = try await Migrate.migrator.apply(on: connection)
        let verifier = try SCRAMVerifier(password: Secret(keys.login)).text
        try await connection.script("ALTER ROLE signalbox PASSWORD \(SQL.quoted(literal: verifier))")
        await connection.close()
        try await ClusterPreparation(
            superuser: postgres.superuser(),
            provisioner: Self.provisioner,
            password: Secret(keys.provisioner),
            protecting: [Self.name],
            admitting: ["signalbox", "signalbox_owner"]
        ).run()
    }
}
