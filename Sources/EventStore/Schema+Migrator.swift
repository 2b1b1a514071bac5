package import Postgres

extension Schema {
    /// Applies the files to a database; become the superuser's equal for the first run, for it makes the roles.
    package static var migrator: Migrator {
        Migrator(
            roles: roles.map { Migrator.Script(name: $0.name, text: $0.text) },
            owner: "signalbox_owner",
            migrations: migrations.map { Migrator.Script(name: $0.name, text: $0.text) },
            functions: functions.map { Migrator.Script(name: $0.name, text: $0.text) }
        )
    }
}
