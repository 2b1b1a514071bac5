package import Domain
package import Kernel
internal import Postgres

extension ReadModels {
    /// One organization; a deleted one still answers, with that status.
    ///
    /// - Throws: ``ReadError/unavailable``.
    package func organization(_ id: OrganizationID) async throws(ReadError) -> Reading<OrganizationView?> {
        try await document(
            OrganizationView.self,
            from: Organizations.self,
            "SELECT document::text FROM rm.organizations_v2 WHERE id = \(id)"
        )
    }

    /// The organizations a user belongs to, or all of them; oldest first, without the deleted ones.
    ///
    /// - Throws: ``ReadError``.
    package func organizations(
        of user: UserID? = nil,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<OrganizationView>> {
        let list = "organizations \(user?.description ?? "*")"
        let after = try Cursor(page.after, of: list)?.last ?? 0
        let rows = try await documents(
            OrganizationView.self,
            from: [Organizations.self, Members.self],
            """
            SELECT o.document::text
              FROM rm.organizations_v2 AS o
             WHERE o.id > \(after) AND o.status <> 'deleted'
               AND (\(user == nil) OR EXISTS (
                    SELECT FROM rm.members_v1 AS m WHERE m.organization_id = o.id AND m.user_id = \(user)
               ))
             ORDER BY o.id
             LIMIT \(page.limit + 1)
            """
        )
        return self.page(of: list, page, rows) { $0.id.value }
    }

    /// What a user is in an organization; `nil` for strangers, and for everybody once the organization is deleted.
    ///
    /// - Throws: ``ReadError/unavailable``.
    package func role(of user: UserID, in organization: OrganizationID) async throws(ReadError) -> Role? {
        try await document(
            MemberView.self,
            """
            SELECT m.document::text
              FROM rm.members_v1 AS m
              JOIN rm.organizations_v2 AS o ON o.id = m.organization_id
             WHERE m.user_id = \(user) AND m.organization_id = \(organization) AND o.status <> 'deleted'
            """
        )?.role
    }

    /// Whether an organization is deleted that a user was a member of to the end.
    ///
    /// - Throws: ``ReadError/unavailable``.
    package func outlived(_ organization: OrganizationID, by user: UserID) async throws(ReadError) -> Bool {
        let rows = try await documents(
            MemberView.self,
            from: [Members.self],
            """
            SELECT m.document::text
              FROM rm.members_v1 AS m
              JOIN rm.organizations_v2 AS o ON o.id = m.organization_id
             WHERE m.user_id = \(user) AND m.organization_id = \(organization) AND o.status = 'deleted'
            """
        )
        return !rows.value.isEmpty
    }

    /// The members of an organization, in the order of their ids.
    ///
    /// - Throws: ``ReadError``.
    package func members(
        of organization: OrganizationID,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<MemberView>> {
        let list = "members \(organization)"
        let after = try Cursor(page.after, of: list)?.last ?? 0
        let rows = try await documents(
            MemberView.self,
            from: [Members.self],
            """
            SELECT document::text FROM rm.members_v1
             WHERE organization_id = \(organization) AND user_id > \(after)
             ORDER BY user_id
             LIMIT \(page.limit + 1)
            """
        )
        return self.page(of: list, page, rows) { $0.userID.value }
    }

    /// What authentication needs to know of a key; `nil` for an unknown one.
    ///
    /// - Throws: ``ReadError/unavailable``.
    package func key(_ id: KeyID) async throws(ReadError) -> KeyRecord? {
        try await document(KeyRecord.self, "SELECT document::text FROM rm.api_keys_v1 WHERE id = \(id)")
    }

    /// The keys of a user or an organization, oldest first, with the revoked ones.
    ///
    /// - Throws: ``ReadError``.
    package func keys(
        of owner: KeyRecord.Owner,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<KeyView>> {
        let list = "keys \(owner)"
        let after = try Cursor(page.after, of: list)?.last ?? 0
        let rows = try await documents(
            KeyRecord.self,
            from: [APIKeys.self],
            """
            SELECT document::text FROM rm.api_keys_v1
             WHERE owner = \(owner.description) AND id > \(after)
             ORDER BY id
             LIMIT \(page.limit + 1)
            """
        ).map { $0.map(\.view) }
        return self.page(of: list, page, rows) { $0.id.value }
    }
}
