/// Where the last state of tenants' databases is kept.
package protocol Backups: Sendable {
    /// All of a database in a file, in a form that `pg_restore` reads.
    ///
    /// - Parameters:
    ///   - database: Which; one that is not ours is `permanent`.
    ///   - name: Of the file, without its ending; a repetition writes it anew.
    ///   - fence: Names the caller in `application_name`.
    /// - Returns: What was written, safe on the disk.
    /// - Throws: ``PortError``; `blocked` when there is no room, or no right.
    func backUp(_ database: TenantDatabase, name: String, fence: String) async throws(PortError) -> DatabaseBackup
}

/// A database in a file.
package struct DatabaseBackup: Sendable, Equatable, Codable {
    /// Absolute.
    package var path: String
    /// In bytes.
    package var size: Int64
    /// Hex.
    package var sha256: String

    package init(path: String, size: Int64, sha256: String) {
        self.path = path
        self.size = size
        self.sha256 = sha256
    }
}
