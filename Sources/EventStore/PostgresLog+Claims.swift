internal import Postgres

extension PostgresLog: ClaimDirectory {
    package func holder(of claim: Claim) async throws(LogError) -> StreamName? {
        let name = try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.run(
                    """
                    SELECT s.name
                      FROM log.claim AS c
                      JOIN log.stream AS s USING (stream_id)
                     WHERE c.kind = \(claim.kind)
                       AND c.key = \(claim.key)
                    """
                ).column(String.self).first
            }
        }
        return name.flatMap { StreamName($0) }
    }
}
