package import Platform
internal import Postgres

extension TenantPostgres {
    /// The databases whose name begins like a tenant's, whoever they belong to, and those that were put aside.
    package func list(databasesFrom prefix: String) async throws(PortError) -> Listing<ListedDatabase> {
        try await listing { connection throws(PostgresError) in
            let rows = try connection.run(
                """
                SELECT d.datname, r.rolname,
                       COALESCE(shobj_description(d.oid, 'pg_database'), shobj_description(r.oid, 'pg_authid'))
                  FROM pg_database AS d
                  JOIN pg_roles AS r ON r.oid = d.datdba
                 WHERE starts_with(d.datname, \(prefix)) OR starts_with(d.datname, \("zz_" + prefix))
                 ORDER BY d.datname
                """
            )
            return try rows.all(String.self, String.self, String?.self).map { name, role, comment in
                ListedDatabase(name: name, role: role, owner: OwnershipTag.owner(comment))
            }
        }
    }

    /// The roles whose name begins like a tenant's, whoever they belong to.
    package func list(rolesFrom prefix: String) async throws(PortError) -> Listing<ListedRole> {
        try await listing { connection throws(PostgresError) in
            let rows = try connection.run(
                """
                SELECT rolname, shobj_description(oid, 'pg_authid'), rolcanlogin
                  FROM pg_roles
                 WHERE starts_with(rolname, \(prefix))
                 ORDER BY rolname
                """
            )
            return try rows.all(String.self, String?.self, Bool.self).map { name, comment, mayLogIn in
                ListedRole(name: name, owner: OwnershipTag.owner(comment), mayLogIn: mayLogIn)
            }
        }
    }

    /// One statement sees one state of the catalogue, so its answer is everything or an error.
    private func listing<Item: Sendable & Equatable>(
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> [Item]
    ) async throws(PortError) -> Listing<Item> {
        let session = try await open(database: "postgres", "list")
        do throws(PortError) {
            let items = try await on(session, body)
            await session.close()
            return Listing(items)
        } catch {
            await session.close()
            throw error
        }
    }
}
