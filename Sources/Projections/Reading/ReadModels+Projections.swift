internal import Kernel
internal import Postgres

extension ReadModels {
    /// How far each build of each read model is, by name, slice by slice, and who stays behind.
    ///
    /// - Throws: ``ReadError/unavailable``.
    package func projections() async throws(ReadError) -> [ProjectionState] {
        try await ask([]) { connection throws(PostgresError) in
            let blocked = try connection.blockedOrganizations()
            let rows = try connection.run(
                """
                SELECT b.name, b.shape, b.build, b.live, p.position, greatest(h.newest - p.position, 0),
                       coalesce(extract(epoch FROM clock_timestamp() - (
                           -- The next event that is still here: those before it are archived.
                           SELECT e.recorded_at
                             FROM log.event AS e
                            WHERE e.position > p.position
                            ORDER BY e.position
                            LIMIT 1
                       )), 0)::float8,
                       p.slices
                  FROM rm.build AS b
                 CROSS JOIN LATERAL (
                       SELECT coalesce(min(c.position), 0) AS position,
                              coalesce(array_agg(c.position ORDER BY c.slice), '{}') AS slices
                         FROM rm.checkpoint AS c
                        WHERE c.name = b.name AND c.shape = b.shape AND c.build = b.build
                 ) AS p
                 CROSS JOIN (SELECT coalesce(max(position), 0) AS newest FROM log.event) AS h
                 ORDER BY b.name, b.shape, b.build
                """
            )
            var states: [ProjectionState] = []
            for row in 0..<rows.count {
                let (name, shape, number, live, position, lag, seconds) = try rows.decode(
                    row,
                    String.self,
                    Int.self,
                    Int.self,
                    Bool.self,
                    Int64.self,
                    Int64.self,
                    Double.self
                )
                states.append(
                    ProjectionState(
                        name: name,
                        shape: shape,
                        build: number,
                        live: live,
                        position: position,
                        lag: lag,
                        lagSeconds: seconds,
                        blockedOrganizations: blocked[Build(name: name, shape: shape, number: number)] ?? [],
                        slices: try rows.array(Int64.self, row: row, column: 7)
                    )
                )
            }
            return states
        }.value
    }
}

extension Connection {
    fileprivate func blockedOrganizations() throws(PostgresError) -> [Build: [BlockedOrganization]] {
        let rows = try run(
            "SELECT name, shape, build, org_id, from_position, error FROM rm.block ORDER BY from_position, org_id"
        ).all(String.self, Int.self, Int.self, Int64.self, Int64.self, String.self)
        return rows.reduce(into: [:]) { blocked, row in
            blocked[Build(name: row.0, shape: row.1, number: row.2), default: []].append(
                BlockedOrganization(organizationId: OrganizationID(row.3), position: row.4, error: row.5)
            )
        }
    }
}
