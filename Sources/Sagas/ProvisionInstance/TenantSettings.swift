/// What tenants of this installation are told about the world around them.
package struct TenantSettings: Sendable, Equatable {
    /// The tenant's `ENVIRONMENT`.
    package var environment: String
    package var logLevel: String
    /// Sessions that a tenant's role may have: the application opens up to 50, and a second slot has to fit beside it.
    package var connectionLimit: Int
    /// How tenants reach their database, as libpq says it.
    package var databaseSSLMode: String
    /// The identity service; `nil` when people cannot sign in by it.
    package var oauthURI: String?
    package var redis: Redis?
    /// For so long a workload may not become healthy.
    package var healthPatience: Duration
    /// For so long the scheduler may leave a task running whose secret has changed, before it is told to start it anew.
    package var restartPatience: Duration
    /// For so long after it was sent a request to billing can still have an effect.
    package var billingSilence: Duration
    /// For so long a published route may not become live.
    package var routePatience: Duration
    /// For so long requests that are under way may end after a route was withdrawn.
    package var drain: Duration
    /// For so long what was stopped may take to end.
    package var stopPatience: Duration
    /// A call to billing is over after so long, however it ended.
    package var billingCall: Duration
    /// For so long billing may fail to do what has to be done there before a person is asked.
    package var billingPatience: Duration
    /// For so long the database of a tenant that may have been used is kept aside after it was taken back.
    package var quarantine: Duration
    /// What the image is given to run when it is to bring its database to where it wants it.
    package var migrate: [String]
    /// For so long a migration may take.
    package var migrationPatience: Duration
    /// For so long a release that is healthy may not become ready.
    package var readyPatience: Duration
    /// For so long a share of the traffic is watched before it grows.
    package var shiftPause: Duration
    /// Further variables for every tenant.
    package var further: [String: String]

    /// Where tenants count what their own users do.
    package struct Redis: Sendable, Equatable {
        /// `host:port`.
        package var address: String
        package var database: Int
        /// Whether tenants have to give a password, which is kept under the name `redis`.
        package var hasPassword: Bool

        package init(address: String, database: Int = 0, hasPassword: Bool = false) {
            self.address = address
            self.database = database
            self.hasPassword = hasPassword
        }
    }

    package init(
        environment: String = "production",
        logLevel: String = "info",
        connectionLimit: Int = 110,
        databaseSSLMode: String = "disable",
        oauthURI: String? = nil,
        redis: Redis? = nil,
        healthPatience: Duration = .seconds(15 * 60),
        restartPatience: Duration = .seconds(15),
        billingSilence: Duration = .seconds(120),
        routePatience: Duration = .seconds(5 * 60),
        drain: Duration = .seconds(5),
        stopPatience: Duration = .seconds(10 * 60),
        billingCall: Duration = .seconds(30),
        billingPatience: Duration = .seconds(24 * 3600),
        quarantine: Duration = .seconds(7 * 24 * 3600),
        migrate: [String] = ["migrate"],
        migrationPatience: Duration = .seconds(30 * 60),
        readyPatience: Duration = .seconds(5 * 60),
        shiftPause: Duration = .seconds(10),
        further: [String: String] = [:]
    ) {
        self.environment = environment
        self.logLevel = logLevel
        self.connectionLimit = connectionLimit
        self.databaseSSLMode = databaseSSLMode
        self.oauthURI = oauthURI
        self.redis = redis
        self.healthPatience = healthPatience
        self.billingSilence = billingSilence
        self.restartPatience = restartPatience
        self.routePatience = routePatience
        self.drain = drain
        self.stopPatience = stopPatience
        self.billingCall = billingCall
        self.billingPatience = billingPatience
        self.quarantine = quarantine
        self.migrate = migrate
        self.migrationPatience = migrationPatience
        self.readyPatience = readyPatience
        self.shiftPause = shiftPause
        self.further = further
    }
}
