internal import Domain
package import Kernel
internal import Postgres

extension ReadModels {
    /// One instance with the state of its subscription.
    ///
    /// - Throws: ``ReadError/unavailable``.
    package func instance(_ id: InstanceID) async throws(ReadError) -> Reading<InstanceView?> {
        try await instances(
            """
            SELECT i.document::text, s.status
              FROM rm.instances_v1 AS i
              LEFT JOIN rm.subscriptions_v1 AS s ON s.id = i.subscription_id
             WHERE i.id = \(id)
            """
        ).map(\.first)
    }

    /// The instances of one organization, or all of them; oldest first.
    ///
    /// - Throws: ``ReadError``.
    package func instances(
        of organization: OrganizationID? = nil,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<InstanceView>> {
        let list = "instances \(organization?.description ?? "*")"
        let after = try Cursor(page.after, of: list)?.last ?? 0
        let rows = try await instances(
            Self.instanceList(organization?.value, after: after, limit: Int64(page.limit + 1))
        )
        return self.page(of: list, page, rows) { $0.id.value }
    }

    /// The statement behind every list of instances.
    static func instanceList(
        _ organization: Int64?,
        after: Int64,
        limit: Int64,
        explained: Bool = false
    ) -> SQL {
        """
        \(unsafe: explained ? "EXPLAIN" : "")
        SELECT i.document::text, s.status
          FROM rm.instances_v1 AS i
          LEFT JOIN rm.subscriptions_v1 AS s ON s.id = i.subscription_id
         WHERE i.id > \(after) AND (\(organization == nil) OR i.organization_id = \(organization))
         ORDER BY i.id
         LIMIT \(limit)
        """
    }

    private func instances(_ sql: SQL) async throws(ReadError) -> Reading<[InstanceView]> {
        try await ask([Instances.self, Subscriptions.self]) { connection throws(PostgresError) in
            var views: [InstanceView] = []
            for (text, status) in try connection.run(sql).all(String.self, String?.self) {
                let row: InstanceRow = try Self.row(from: text)
                views.append(InstanceView(row, subscription: status.flatMap(SubscriptionView.Status.init)))
            }
            return views
        }
    }

    /// What happened to an instance, in order.
    ///
    /// - Throws: ``ReadError``.
    package func history(
        of instance: InstanceID,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<TimelineEntry>> {
        let list = "history \(instance)"
        let after = try Cursor(page.after, of: list)?.last ?? 0
        let rows = try await documents(
            TimelineEntry.self,
            from: [Timeline.self],
            """
            SELECT document::text FROM rm.instance_timeline_v1
             WHERE instance_id = \(instance) AND position > \(after)
             ORDER BY position
             LIMIT \(page.limit + 1)
            """
        )
        return self.page(of: list, page, rows) { $0.position }
    }

    /// One subscription.
    ///
    /// - Throws: ``ReadError/unavailable``.
    package func subscription(_ id: SubscriptionID) async throws(ReadError) -> Reading<SubscriptionView?> {
        try await document(
            SubscriptionView.self,
            from: Subscriptions.self,
            "SELECT document::text FROM rm.subscriptions_v1 WHERE id = \(id)"
        )
    }

    /// The subscriptions of one organization, oldest first.
    ///
    /// - Throws: ``ReadError``.
    package func subscriptions(
        of organization: OrganizationID,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<SubscriptionView>> {
        let list = "subscriptions \(organization)"
        let after = try Cursor(page.after, of: list)?.last ?? 0
        let rows = try await documents(
            SubscriptionView.self,
            from: [Subscriptions.self],
            """
            SELECT document::text FROM rm.subscriptions_v1
             WHERE organization_id = \(organization) AND id > \(after)
             ORDER BY id
             LIMIT \(page.limit + 1)
            """
        )
        return self.page(of: list, page, rows) { $0.id.value }
    }
}
