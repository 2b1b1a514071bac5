package import Kernel
internal import Postgres

extension ReadModels {
    /// One operation, from the moment its cause is folded.
    ///
    /// - Throws: ``ReadError/unavailable``.
    package func operation(_ id: UniqueID) async throws(ReadError) -> Reading<OperationView?> {
        try await document(
            OperationView.self,
            from: Operations.self,
            "SELECT document::text FROM rm.operations_v1 WHERE key = \(id.description)"
        )
    }

    /// The operations of some organizations, or of all; newest first.
    ///
    /// - Parameters:
    ///   - organizations: `nil` for all, also those that belong to nobody.
    ///   - subject: Only those that work for this stream, for example `instance-42`.
    ///   - status: Only those in this state.
    ///   - page: Which part of the list.
    /// - Returns: That part.
    /// - Throws: ``ReadError``.
    package func operations(
        of organizations: [OrganizationID]?,
        subject: String? = nil,
        status: OperationView.Status? = nil,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<OperationView>> {
        // Not bound to the organizations: who asks may join one between two pages.
        let list = "operations \(subject ?? "*") \(status?.rawValue ?? "*")"
        let before = try Cursor(page.after, of: list)?.last ?? .max
        let rows = try await documents(
            OperationView.self,
            from: [Operations.self],
            """
            SELECT document::text FROM rm.operations_v1
             WHERE started < \(before)
               AND (\(organizations == nil) OR organization_id = ANY (\(array: organizations ?? [])))
               AND (\(subject == nil) OR subject = \(subject))
               AND (\(status == nil) OR status = \(status?.rawValue))
             ORDER BY started DESC
             LIMIT \(page.limit + 1)
            """
        )
        return self.page(of: list, page, rows) { $0.position }
    }

    /// Every release, by application, oldest first.
    ///
    /// - Throws: ``ReadError/unavailable``.
    package func releases() async throws(ReadError) -> Reading<[ReleaseView]> {
        try await documents(
            Releases.Row.self,
            from: [Releases.self],
            "SELECT document::text FROM rm.releases_v1 ORDER BY key"
        ).map { $0.flatMap(\.releases) }
    }

    /// Every published route, ordered by router, then by instance.
    ///
    /// - Parameter position: What the caller showed last: never show anything older.
    /// - Returns: All of them.
    /// - Throws: ``ReadError/behind(position:)`` unless the routes read model has passed `position`.
    package func routes(afterPassing position: Int64) async throws(ReadError) -> Reading<[RouteView]> {
        let routes = try await documents(
            RouteView.self,
            from: [Routes.self],
            "SELECT document::text FROM rm.routes_v1 ORDER BY router, key"
        )
        guard routes.position >= position else { throw .behind(position: routes.position) }
        return routes
    }
}
