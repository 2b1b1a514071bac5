package import Kernel
internal import Postgres

extension ReadModels {
    /// Who did what, newest first.
    ///
    /// - Parameters:
    ///   - organization: Only what belongs to this one.
    ///   - actor: Only what this principal did.
    ///   - page: Which part of the list.
    /// - Returns: The part, and the position that it reflects.
    /// - Throws: ``ReadError``.
    package func auditLog(
        of organization: OrganizationID? = nil,
        by actor: String? = nil,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<AuditEntry>> {
        let list = "audit \(organization?.description ?? "*") \(actor ?? "*")"
        let before = try Cursor(page.after, of: list)?.last ?? .max
        let rows = try await documents(
            AuditEntry.self,
            from: [AuditLog.self],
            """
            SELECT document::text FROM rm.audit_log_v1
             WHERE position < \(before)
               AND (\(organization == nil) OR organization_id = \(organization?.value))
               AND (\(actor == nil) OR actor = \(actor))
             ORDER BY position DESC
             LIMIT \(page.limit + 1)
            """
        )
        return self.page(of: list, page, rows) { $0.position }
    }

    /// The tenant databases, in the order in which they became known.
    ///
    /// - Throws: ``ReadError``.
    package func databases(
        _ status: DatabaseView.Status? = nil,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<DatabaseView>> {
        let list = "databases \(status?.rawValue ?? "*")"
        let after = try Cursor(page.after, of: list)?.last ?? 0
        let rows = try await documents(
            DatabaseView.self,
            from: [Databases.self],
            """
            SELECT document::text FROM rm.databases_v1
             WHERE known_at > \(after) AND (\(status == nil) OR status = \(status?.rawValue))
             ORDER BY known_at
             LIMIT \(page.limit + 1)
            """
        )
        return self.page(of: list, page, rows) { $0.position }
    }
}
