internal import DevPlane
internal import Domain
internal import EventStore
internal import FoundationEssentials
internal import Glibc
internal import Kernel
internal import Logging
internal import Platform
internal import Postgres
internal import Sagas
internal import ServiceLifecycle

/// Everything on one machine: Postgres, scheduler, billing, the control plane itself, and the edge in front.
struct DevMachine: Service {
    let workspace: Workspace
    let wantedPort: Int?
    /// When an append is answered.
    let durability: Durability
    /// What one principal may send, as the setting says it; `nil` for as much as in production.
    let limits: String?
    let logger: Logger

    /// Runs until it is told to shut down; nothing outlives a clean stop.
    func run() async throws {
        let lock = try workspace.lock()
        defer { close(lock) }
        unlink(workspace.announcement)
        defer { unlink(workspace.announcement) }
        let postgres = try EmbeddedPostgres(workspace: workspace, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await postgres.run() }
            group.addTask { try await self.serve(with: postgres) }
            // Whichever ends first ends the other: Postgres only by failing, the rest also when it is told to.
            let outcome = await group.nextResult()
            group.cancelAll()
            while await group.nextResult() != nil {}
            do { try outcome?.get() } catch {
                // What fails because a stop was asked for half-way through a start is no failure.
                guard error is CancellationError || Task.isShuttingDownGracefully else { throw error }
            }
        }
    }

    private func serve(with postgres: EmbeddedPostgres) async throws {
        let traefik = Task { await installEdge() }
        try await postgres.ready()
        try stopIfTold()
        let keys = try DevKeys(workspace)
        let database = DevDatabase(postgres: postgres, keys: keys)
        try await database.prepare()
        // Before anything else runs that would have to be stopped again.
        try await refuseUnknown(database)
        try stopIfTold()
        let catalogue = try CatalogueText.embedded()
        let billing = BillingEngine(
            .init(
                directory: workspace.billing,
                port: try workspace.port("billing"),
                apiKey: keys.billing,
                prices: catalogue.offers.map { .init($0) }
            ),
            logger: logger
        )
        let agent = NomadAgent(agentConfiguration(port: try workspace.port("nomad")), logger: logger)
        try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask {
                try await billing.run(); return .billing
            }
            group.addTask {
                try await agent.run(); return .agent
            }
            let program = await traefik.value
            // Before its ports are looked for: they are remembered, and it must not be the edge itself that has them.
            await EmbeddedEdge.endLeftover(in: workspace)
            let edge = try program.map { program in
                EmbeddedEdge(
                    workspace: workspace,
                    port: try workspace.port("edge"),
                    apiPort: try workspace.port("edge-api"),
                    program: program
                )
            }
            let addresses = Addresses(
                nomad: "http://127.0.0.1:\(try await agent.port)",
                billing: "http://127.0.0.1:\(try await billing.port)",
                edge: edge
            )
            let settings = try settings(keys: keys, database: database, addresses: addresses, postgres: postgres)
            let plane = try await ControlPlane(settings: settings, catalogue: catalogue, logger: logger)
            try stopIfTold()
            group.addTask {
                try await plane.run(); return .plane
            }
            let port = try await plane.port
            try await plane.registerDeveloper(key: keys.apiKey)
            if let edge {
                let (nomad, token) = (addresses.nomad, settings.edge.token)
                let document = "http://127.0.0.1:\(port)/traefik/dynamic"
                group.addTask {
                    try await edge.run(documentURL: document, token: token, nomadURL: nomad, logger: self.logger)
                    return .edge
                }
                try await edge.ready()
            }
            try announce(port: port, keys: keys, addresses: addresses, postgres: postgres)
            // The plane drains its requests before anything that it needs is taken away.
            while let ended = try await group.next() {
                if ended == .plane { break }
                guard Task.isShuttingDownGracefully else { throw DevFailure("\(ended) ended by itself") }
            }
            group.cancelAll()
            while await group.nextResult() != nil {}
        }
    }

    /// Throws when a saga is under way that this build does not know.
    private func refuseUnknown(_ database: DevDatabase) async throws {
        let pool = Pool(conninfo: database.login, size: 1, role: "signalbox_append")
        let outcome: Result<UnknownSagas?, any Error>
        do {
            let engine = SagaEngine(
                log: PostgresLog.reader(pool: pool, archive: workspace.root + "/archive"),
                queue: PostgresWorkQueue(pool: pool),
                definitions: try Ports.definitions(pool: pool),
                owner: "dev"
            )
            outcome = .success(try await engine.unknownSagas())
        } catch { outcome = .failure(error) }
        await pool.close()
        if let unknown = try outcome.get() { throw DevFailure(unknown.description) }
    }

    private enum Part: String {
        case billing, agent, plane, edge
    }

    /// A start is not worth finishing once a stop was asked for.
    private func stopIfTold() throws {
        if Task.isShuttingDownGracefully { throw CancellationError() }
    }

    private func announce(port: Int, keys: DevKeys, addresses: Addresses, postgres: EmbeddedPostgres) throws {
        let announcement = Announcement(
            api: "http://127.0.0.1:\(port)",
            apiKey: keys.apiKey,
            operatorKey: keys.operatorKey,
            databaseUrl: postgres.url(database: DevDatabase.name),
            edge: addresses.edge.map { "http://127.0.0.1:\($0.port)" },
            nomad: addresses.nomad,
            billing: addresses.billing
        )
        try announcement.write(to: workspace.announcement)
        welcome(announcement)
    }

    /// Where the parts of this machine are.
    private struct Addresses {
        var nomad: String
        var billing: String
        var edge: EmbeddedEdge?
    }

    /// The same settings that production reads from its environment, so that there is one way in.
    private func settings(
        keys: DevKeys,
        database: DevDatabase,
        addresses: Addresses,
        postgres: EmbeddedPostgres
    ) throws -> Settings {
        var environment = [
            "ENVIRONMENT": "development",
            "SIGNALBOX_HOST": "127.0.0.1",
            "PORT": "\(try workspace.port("api", wanted: wantedPort))",
            "DATABASE_URL": database.login,
            "SIGNALBOX_ARCHIVE": workspace.root + "/archive",
            "BACKUP_DIR": workspace.root + "/backups",
            "APP_ROOT_DOMAIN": "localhost",
            "APP_ROOT_SCHEME": "http",
            "SIGNALBOX_MASTER_KEYS": keys.master,
            "SIGNALBOX_OPERATOR_KEYS": keys.operatorKey,
            "SIGNALBOX_TRAEFIK_TOKEN": keys.traefik,
            "SIGNALBOX_AUDIT_KEY": keys.audit,
            "SIGNALBOX_AUDIT_CHECKPOINTS": workspace.audit,
            "SIGNALBOX_ENTRY_POINT": "web",
            "PROVISION_DB_HOST": "127.0.0.1",
            "PROVISION_DB_PORT": "\(postgres.port)",
            "PROVISION_DB_USER": DevDatabase.provisioner,
            "PROVISION_DB_PASSWORD": keys.provisioner,
            "PROVISION_DB_SSL_MODE": "disable",
            "PROVISION_DB_CONNECTION_LIMIT": "10",
            "PROVISION_DB_PROTECT": DevDatabase.name,
            "NOMAD_ADDR": addresses.nomad,
            "SIGNALBOX_MIN_HEALTHY_TIME": "0.5",
            "SIGNALBOX_RECONCILE_PERIOD": "15",
            "SIGNALBOX_HEALTHY_DEADLINE": "60",
            "SIGNALBOX_PROGRESS_DEADLINE": "120",
            "SIGNALBOX_CHECK_INTERVAL": "1",
            "SIGNALBOX_CHECK_TIMEOUT": "1",
            "RAILZWAY_CLIENT_URL": addresses.billing,
            "RAILZWAY_API_KEY": keys.billing,
            "PROVISION_RATE_LIMIT_REDIS_ADDR": "127.0.0.1:6379",
            "OAUTH2_URI": "http://accounts.localhost",
        ]
        environment["SIGNALBOX_RATE_LIMIT"] = limits
        for name in TraceSettings.names + ["SIGNALBOX_OLDER_API", "STATIC_DIR"] {
            environment[name] = EnvironmentReader.process[name]
        }
        if let binaries = Installation.binaries() { environment["PG_DUMP"] = binaries + "/pg_dump" }
        if let edge = addresses.edge { environment["TRAEFIK_API_URL"] = "http://127.0.0.1:\(edge.apiPort)" }
        var settings = try Settings(environment: environment)
        settings.durability = durability
        settings.names.edgePort = addresses.edge?.port
        return settings
    }

    private func agentConfiguration(port: Int) -> NomadAgent.Configuration {
        var configuration = NomadAgent.Configuration(
            directory: workspace.agent,
            runDirectory: workspace.run,
            port: port,
            command: [Self.program, "tenant"]
        )
        configuration.account = workspace.tenantAccount
        configuration.environment = ["PATH": "/usr/bin:/bin"]
        return configuration
    }

    /// This very program, which tenants run too.
    private static let program: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return CommandLine.arguments[0] }
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }()

    /// The edge's program; `nil`, and a word about it, when there is none to be had.
    private func installEdge() async -> String? {
        do {
            return try await EmbeddedEdge.install()
        } catch {
            logger.warning("there is no edge: tenants answer at their own ports", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    private func welcome(_ announcement: Announcement) {
        let data = workspace.root
        Terminal.say(
            """

            Signalbox is ready.
              API       \(announcement.api)
              edge      \(announcement.edge ?? "none: see `instance show` for direct addresses")
              Nomad API \(announcement.nomad)
              database  \(announcement.databaseUrl)
              API key   \(announcement.apiKey)

            Try next, in another terminal:
              \(Self.program) org create "Acme Inc" --slug acme --data \(data)
              curl -H 'Host: acme.localhost' \(announcement.edge ?? announcement.api)/
              \(Self.program) events list --data \(data)

            Ctrl-C stops everything; the next start goes on with the same data.
            """
        )
    }
}

extension BillingEngine.SeedPrice {
    fileprivate init(_ offer: Catalogue.Offer) {
        self.init(
            code: offer.price.code,
            name: offer.plan.tier.label,
            currency: offer.price.currency,
            amount: offer.price.amount
        )
    }
}
