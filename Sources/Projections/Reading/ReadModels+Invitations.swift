package import Kernel
internal import Postgres

extension ReadModels {
    /// The invitations of an organization, newest first, with those that are over.
    ///
    /// - Throws: ``ReadError``.
    package func invitations(
        of organization: OrganizationID,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<InvitationView>> {
        let list = "invitations \(organization)"
        let before = try Cursor(page.after, of: list)?.last ?? .max
        let rows = try await documents(
            InvitationView.self,
            from: [Invitations.self],
            """
            SELECT document::text FROM rm.invitations_v1
             WHERE organization_id = \(organization) AND sent < \(before)
             ORDER BY sent DESC
             LIMIT \(page.limit + 1)
            """
        )
        return self.page(of: list, page, rows) { $0.position }
    }
}
