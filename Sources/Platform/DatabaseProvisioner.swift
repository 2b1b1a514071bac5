/// A tenant's database and its login role, as they should be.
package struct TenantDatabase: Sendable, Equatable {
    /// At most 63 bytes: `railzway_org_42`.
    package var database: String
    /// At most 63 bytes: `railzway_user_42`.
    package var role: String
    /// How many sessions the role, and the database, may have.
    package var connectionLimit: Int
    package var owner: Ownership

    package init(database: String, role: String, connectionLimit: Int, owner: Ownership) {
        self.database = database
        self.role = role
        self.connectionLimit = connectionLimit
        self.owner = owner
    }
}

/// What is known of a tenant cluster by those who connect to it.
package struct DatabaseAddress: Sendable, Equatable, Codable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

/// Makes and takes back the databases of tenants.
///
/// Every call is idempotent, takes the settle lock of the name on the tenant cluster (so that it waits for what an
/// earlier, dead caller still has under way) and gives the lock back. `fence` names the caller in `application_name`.
package protocol DatabaseProvisioner: Sendable {
    /// Where tenants find the cluster.
    var address: DatabaseAddress { get }

    /// The role with this password (sent only as a SCRAM verifier) and our tag; another's role of that name is permanent.
    func ensureRole(_ database: TenantDatabase, password: Secret, fence: String) async throws(PortError)

    /// The database, owned by the role; another's database of that name is permanent.
    func ensureDatabase(_ database: TenantDatabase, fence: String) async throws(PortError)

    /// Nobody but the role may connect; limits are set; the scheduler lease row exists.
    func isolate(_ database: TenantDatabase, slot: String, fence: String) async throws(PortError)

    /// Gives the scheduler lease of the database to a slot; nothing happens when that has it already.
    ///
    /// - Returns: The epoch, which grows with every hand-over.
    func handOverLease(of database: TenantDatabase, to slot: String, fence: String) async throws(PortError) -> Int64

    /// Whether the role is there and whose it is; the value says whether it may log in.
    func probeRole(_ database: TenantDatabase) async throws(PortError) -> Presence<Bool>

    /// Whether the database is there and whose it is; the value says whether it takes connections, as an isolated one does.
    func probeDatabase(_ database: TenantDatabase) async throws(PortError) -> Presence<Bool>

    /// Drops the database if it is ours, whoever is connected; nothing happens when it is absent or another's.
    func dropDatabase(_ database: TenantDatabase, fence: String) async throws(PortError)

    /// Renames the database to `renamed`, refuses connections and ends sessions; nothing happens when it is absent or another's.
    func quarantineDatabase(_ database: TenantDatabase, as renamed: String, fence: String) async throws(PortError)

    /// A further login of the database, which acts as the owner and has what the owner has; given the owner's name, the
    /// owner may log in again. Another's role of that name is permanent.
    func ensureLogin(
        _ login: String,
        of database: TenantDatabase,
        password: Secret,
        fence: String
    ) async throws(PortError)

    /// Whether somebody is connected to the database by this login now.
    func isInUse(_ login: String, of database: TenantDatabase) async throws(PortError) -> Bool

    /// Ends a login: nobody can use it any more, and whoever does is disconnected. It is dropped, but for the owner, who
    /// stays without a password. Nothing happens when it is absent or another's.
    func retireLogin(_ login: String, of database: TenantDatabase, fence: String) async throws(PortError)

    /// Drops the role and the further logins of the database if they are ours; nothing happens when it is absent or another's.
    func dropRole(_ database: TenantDatabase, fence: String) async throws(PortError)
}
