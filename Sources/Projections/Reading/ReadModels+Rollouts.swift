package import Domain
internal import Kernel
internal import Postgres

extension ReadModels {
    /// One roll-out, from the moment its first event is folded.
    ///
    /// - Throws: ``ReadError/unavailable``.
    package func rollout(_ id: RolloutID) async throws(ReadError) -> Reading<RolloutView?> {
        try await document(
            RolloutView.self,
            from: Rollouts.self,
            "SELECT document::text FROM rm.rollouts_v1 WHERE id = \(id)"
        )
    }

    /// The roll-outs, newest first.
    ///
    /// - Throws: ``ReadError``.
    package func rollouts(page: PageRequest) async throws(ReadError) -> Reading<Page<RolloutView>> {
        let before = try Cursor(page.after, of: "rollouts")?.last ?? .max
        let rows = try await documents(
            RolloutView.self,
            from: [Rollouts.self],
            """
            SELECT document::text FROM rm.rollouts_v1
             WHERE id < \(before)
             ORDER BY id DESC
             LIMIT \(page.limit + 1)
            """
        )
        return self.page(of: "rollouts", page, rows) { $0.id.value }
    }
}
