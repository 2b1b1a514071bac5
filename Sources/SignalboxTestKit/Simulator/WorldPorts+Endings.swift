package import Platform
internal import Sagas

/// What keeps a copy of a tenant's data, and what destroys a person's.
extension WorldPorts: Backups, PersonalData {
    package func backUp(
        _ database: TenantDatabase,
        name: String,
        fence: String
    ) async throws(PortError) -> DatabaseBackup {
        try await requireLease()
        return try await world.call("backUp", by: process, lock: database.database) { state in
            guard state.databases[database.database] != nil else {
                return .failure(.permanent(code: "backup.absent", message: "the database is gone"))
            }
            state.backups.insert(name)
            return .success(DatabaseBackup(path: "/backups/\(name).dump", size: 7, sha256: "ab"))
        }
    }

    package func erase(subject: String, reason: String) async throws(PortError) {
        try await requireLease()
        try await world.call("erase", by: process) { state -> Result<Void, PortError> in
            state.erased.insert(subject)
            return .success(())
        }
    }
}
