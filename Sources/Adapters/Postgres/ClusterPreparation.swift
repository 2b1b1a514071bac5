package import Platform
internal import Postgres

/// What a superuser does once to a cluster before tenants may live on it: `signalbox provision prepare`.
///
/// Makes the provisioner's login and takes from everybody the right to connect to what is not theirs, which Postgres
/// gives by default. Running it again changes nothing, and closes databases named since.
package struct ClusterPreparation: Sendable {
    private let superuser: String
    private let provisioner: String
    private let password: Secret?
    private let protecting: [String]
    private let admitting: [String]

    /// - Parameters:
    ///   - superuser: A connection string, to the database `postgres`.
    ///   - provisioner: The login to make.
    ///   - password: `nil` leaves the login without one, for other ways of authentication, or as it is.
    ///   - protecting: Databases besides `postgres` and `template1` to close: the control database, when it is here.
    ///   - admitting: Roles that may still connect to those.
    package init(
        superuser: String,
        provisioner: String = "signalbox_provisioner",
        password: Secret? = nil,
        protecting: [String] = [],
        admitting: [String] = []
    ) {
        self.superuser = superuser
        self.provisioner = provisioner
        self.password = password
        self.protecting = protecting
        self.admitting = admitting
    }

    /// Prepares the cluster.
    ///
    /// - Throws: ``PortError``; `blocked` for a server older than 15.
    package func run() async throws(PortError) {
        let verifier: String? = if let password { try SCRAMVerifier(password: password).text } else { nil }
        let (provisioner, protecting, admitting) = (provisioner, protecting, admitting)
        let version: Int
        do throws(PostgresError) {
            let session = try await Connection.open(superuser)
            version = try await session.transaction { tx throws(PostgresError) in
                let version = try tx.run("SELECT current_setting('server_version_num')::int").decode(0, Int.self)
                guard version >= 150_000 else { return version }
                // Two at once would meet in the same catalogue rows (`XX000 tuple concurrently updated`).
                try tx.run("SELECT pg_advisory_xact_lock(hashtextextended('signalbox prepare', 0))")
                try tx.makeProvisioner(provisioner, verifier)
                for database in ["postgres", "template1"] + protecting {
                    try tx.run("REVOKE ALL ON DATABASE \(identifier: database) FROM PUBLIC")
                }
                try tx.run("GRANT CONNECT ON DATABASE postgres TO \(identifier: provisioner)")
                for database in protecting {
                    for role in admitting {
                        try tx.run(
                            "GRANT CONNECT, TEMPORARY ON DATABASE \(identifier: database) TO \(identifier: role)"
                        )
                    }
                }
                return version
            }
            await session.close()
        } catch {
            throw PortError(tenant: error)
        }
        guard version >= 150_000 else {
            throw .blocked(code: "postgres.version", message: "tenants need Postgres 15 or later")
        }
    }
}

extension Connection {
    fileprivate func makeProvisioner(_ name: String, _ verifier: String?) throws(PostgresError) {
        let exists = try run("SELECT 1::int8 FROM pg_roles WHERE rolname = \(name)").count > 0
        let password = verifier.map { "PASSWORD " + SQL.quoted(literal: $0) } ?? ""
        try run(
            """
            \(unsafe: exists ? "ALTER" : "CREATE") ROLE \(identifier: name)
            LOGIN CREATEDB CREATEROLE NOSUPERUSER NOREPLICATION \(unsafe: password)
            """
        )
    }
}
