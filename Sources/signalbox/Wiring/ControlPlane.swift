internal import Adapters
internal import AsyncHTTPClient
internal import Audit
internal import Commands
internal import Domain
internal import EventStore
internal import Glibc
internal import Kernel
internal import Logging
internal import Platform
internal import Postgres
internal import Projections
internal import Sagas
internal import Server
internal import ServiceLifecycle
internal import Webhooks

/// The control plane of one process, wired: the log, what writes to it, what follows it, and the API over all of it.
struct ControlPlane: Service {
    private let settings: Settings
    private let logger: Logger
    private let pools: Pools
    private let log: PostgresLog
    private let snapshots: SnapshotKeeper
    private let desk: CommandDesk
    /// One for the process and never shut down: a client that is dropped half-way through a failed start would trap.
    private static let http = HTTPCaller.makeClient()
    private let runner: ProjectionRunner
    private let starter: Starter
    private let engine: SagaEngine
    private let ledger: ResourceLedger
    private let reconciler: Reconciler
    private let targets: TargetVitals
    private let sealer: SealerRunner?
    private let refusals: RefusalRecorder
    private let keyUses: KeyUseRecorder
    private let webhooks: WebhookService
    private let spans: SpanExporter?
    private let backend: Backend
    private let kept: any KeptSecrets
    private let listening = Listening()

    /// Connections by what they may do.
    struct Pools {
        let append: Pool
        let project: Pool

        init(_ settings: Settings) {
            append = Pool(conninfo: settings.database, size: settings.poolSize, role: "signalbox_append")
            project = Pool(
                conninfo: settings.database,
                // One for each projection, and as many for readers as the setting says.
                size: settings.poolSize + Registry.all.count,
                role: "signalbox_project"
            )
        }

        func close() async {
            await append.close()
            await project.close()
        }
    }

    /// Connects, checks that this build understands what is under way, and makes the read models' tables.
    ///
    /// - Throws: ``ConfigurationError``, `PostgresError`, or what is wrong with the state of the log.
    init(settings: Settings, catalogue: Catalogue, logger: Logger) async throws {
        self.settings = settings
        self.logger = logger
        // Before the first metric is made: one that is made earlier counts nothing.
        _ = Metering.registry
        SpanMeters.begin()
        let spans = settings.tracing.map { tracing in
            SpanExporter(
                tracing,
                recorder: SpanRecorder(redact: Redaction(settings.secrets)),
                http: Self.http,
                version: Version.text,
                logger: logger
            )
        }
        self.spans = spans
        let keys = try Self.masterKeys(settings)
        pools = Pools(settings)
        log = try await PostgresLog.open(
            conninfo: settings.database,
            pool: pools.append,
            durability: settings.durability,
            archive: settings.archive,
            logger: logger
        )
        let queue = PostgresWorkQueue(pool: pools.append)
        let names = settings.names
        snapshots = SnapshotKeeper(store: PostgresSnapshots(pool: pools.append), logger: logger)
        let traced: any EventLog = spans.map { [log] in TracedLog(log: log, recorder: $0.recorder) } ?? log
        desk = CommandDesk(
            log: traced,
            claims: log,
            vault: Vault(keys: keys, subjects: PostgresSubjectKeys(pool: pools.append)),
            settings: .init(
                catalogue: catalogue,
                allowsPlainWebhooks: settings.stage == .development,
                host: { names.host(slug: $0, instance: $1) }
            ),
            snapshots: snapshots
        )
        let owner = Self.owner
        // How long a process that died keeps others from its work; alone on a machine nobody minds a short one.
        let lease = Duration.seconds(settings.stage == .development ? 4 : 20)
        runner = ProjectionRunner(
            pool: pools.project,
            log: log,
            work: queue,
            feed: LogFollower(log: log, bell: log.bell).feed,
            owner: owner,
            settings: .init(lease: lease / 2, slices: settings.projectionSlices),
            logger: logger
        )
        try await runner.prepare()
        let ports = Ports(settings: settings, http: Self.http, keys: keys, pool: pools.append)
        kept = ports.provisioning.kept
        let erasures = Erasures(
            log: log,
            eraser: PostgresEraser(pool: pools.append),
            subjects: PostgresSubjectKeys(pool: pools.append)
        )
        var outside = ports.provisioning
        (outside.records, outside.personal) = (Records(log: log), OrderedErasures(erasures))
        outside.log = log
        let definitions = SagaRegistry.definitions(outside).map { definition in
            spans.map { definition.traced(by: $0.recorder) } ?? definition
        }
        let (bell, workBell) = (log.bell, log.workBell)
        let sagaLog = CrashingLog.wrap(traced, stage: settings.stage)
        starter = Starter(
            log: sagaLog,
            queue: queue,
            checkpoint: PostgresCheckpoint(pool: pools.append),
            definitions: definitions,
            logger: logger,
            wakeup: Self.wakeup(bell)
        )
        let board = PostgresTargetBoard(pool: pools.append, limits: settings.targets)
        targets = TargetVitals(board: board, logger: logger)
        engine = SagaEngine(
            log: sagaLog,
            queue: queue,
            definitions: definitions,
            owner: owner,
            // Most of what is driven at once only waits for something to become healthy.
            settings: .init(lease: lease, parallel: 128),
            logger: logger,
            snapshots: snapshots,
            targets: board,
            wakeup: Self.wakeup(workBell)
        )
        let period = settings.reconcilePeriod
        reconciler = Reconciler(
            log: log,
            queue: queue,
            inventory: ports.inventory,
            names: names,
            owner: owner,
            settings: .init(planner: .init(settled: period), period: period, lease: lease),
            logger: logger
        )
        ledger = ResourceLedger(pool: pools.append, log: log, logger: logger, wakeup: Self.wakeup(bell))
        if let unknown = try await engine.unknownSagas() { throw DevFailure(unknown.description) }
        let document = TraefikDocument(
            catalogue: settings.edge.provider == "nomad" ? .nomad : .consul,
            entryPoints: [settings.edge.entryPoint],
            certificateResolver: settings.edge.certificateResolver
        )
        sealer = try Self.sealer(settings, pool: pools.append, log: log, queue: queue, owner: owner, logger: logger)
        let models = ReadModels(pool: pools.project)
        var backend = Backend(
            catalogue: catalogue,
            desk: desk,
            models: models,
            log: log,
            erased: PostgresErasedSubjects(pool: pools.append),
            document: document
        )
        backend.commands.open(erasures)
        backend.look(by: InstanceChecks(ports: outside, log: log))
        backend.sagas = SagaDoor(
            SagaOperations(log: log, queue: queue, definitions: definitions),
            news: { span in await bell.wait(after: bell.count, atMost: span) }
        )
        backend.targets = TargetDoor(TargetOperations(log: log, board: board, targets: TargetLimits.targets))
        backend.projections = ProjectionDoor(ProjectionDesk(runner))
        backend.resources = ResourceDoor(ResourceDirectory(pool: pools.append))
        backend.tokens = settings.tokens.map { TokenVerifier($0, http: Self.http, logger: logger) }
        let sessions = SessionStore(pool: pools.append)
        backend.signIn = settings.signIn.map {
            SignIn($0, stage: settings.stage, http: Self.http, store: sessions, logger: logger)
        }
        let store = RefusalStore(pool: pools.append)
        refusals = RefusalRecorder(store: store, now: IDSource.system.now, logger: logger)
        backend.refusals = RefusalDoor(refusals, store)
        let uses = KeyUseStore(pool: pools.append)
        keyUses = KeyUseRecorder(store: uses, logger: logger)
        backend.keyUses = KeyUseDoor(keyUses, uses)
        backend.webhooks = WebhookDoor(desk, WebhookStore(pool: pools.append))
        webhooks = WebhookService(pool: pools.append, log: log, desk: desk, stage: settings.stage, logger: logger)
        backend.audit = AuditDoor(TransparencyLog(store: AuditStore(pool: pools.append), log: log))
        let sealing = sealer?.state
        backend.plane.checks = { await Self.checks(models) + Self.checks(sealing) }
        backend.plane.metrics = { Metering.registry.text }
        backend.plane.openMetrics = { Metering.registry.openMetrics }
        if let recorder = spans?.recorder { backend.plane.served = { recorder.keep($0) } }
        self.backend = backend
    }

    /// The port that the API answers on, as soon as it does.
    var port: Int {
        get async throws { try await listening.port() }
    }

    /// Serves until it is told to shut down: requests are drained first, then sagas stop between two steps and give
    /// their leases back, then the log writes what it had accepted.
    func run() async throws {
        let outcome = await withTaskGroup(of: Void.self) { group in
            let (log, snapshots) = (log, snapshots)
            group.addTask { await log.run() }
            group.addTask { await snapshots.run() }
            let outcome = await Result { try await follow() }
            snapshots.close()
            log.close()
            return outcome
        }
        await listening.ended(outcome)
        await pools.close()
        try outcome.get()
    }

    /// Everything that needs the log to be running.
    private func follow() async throws {
        try await seed()
        let (runner, starter, engine, sealer, listening) = (runner, starter, engine, sealer, listening)
        let (ledger, reconciler, targets, refusals, webhooks) = (ledger, reconciler, targets, refusals, webhooks)
        let keyUses = keyUses
        let spans = spans
        let vitals = LogVitals(pool: pools.append, logger: logger)
        let server = APIServer(
            backend: backend,
            settings: try APISettings(settings),
            version: Version.text,
            edgeToken: settings.edge.token,
            logger: logger,
            onRunning: { await listening.opened($0) }
        )
        try await withThrowingTaskGroup(of: Void.self) { followers in
            followers.addTask { await runner.run() }
            followers.addTask { await starter.run() }
            followers.addTask { await ledger.run() }
            followers.addTask { await reconciler.run() }
            followers.addTask { await targets.run() }
            if let sealer { followers.addTask { await sealer.run() } }
            followers.addTask { await vitals.run() }
            followers.addTask { await refusals.run() }
            followers.addTask { await keyUses.run() }
            followers.addTask { await webhooks.run() }
            if let spans { followers.addTask { await spans.run() } }
            let served = await withTaskGroup(of: Void.self) { sagas in
                sagas.addTask { await engine.run() }
                let served = await Result {
                    try await withGracefulShutdownHandler {
                        try await server.run()
                    } onGracefulShutdown: {
                        // No new step is begun once a stop was asked for, while requests are still drained.
                        engine.stop()
                    }
                }
                engine.stop()
                return served
            }
            followers.cancelAll()
            try served.get()
        }
    }

    /// What has to be there before anybody asks: the default release, the keys of those who run the plane, and the
    /// secrets that the settings bring.
    private func seed() async throws {
        if !settings.tenant.redisPassword.isEmpty {
            try await kept.keep(Secret(settings.tenant.redisPassword), as: "redis")
        }
        let envelope = { CommandEnvelope.own(ids: .system) }
        do throws(CommandError) {
            if try await isWithoutReleases() {
                let first = ReleaseEvent.Registered(
                    version: settings.release,
                    image: settings.registry,
                    status: .stable,
                    minimumTier: .freeTrial,
                    breaking: false
                )
                _ = try await desk.registerRelease(first, makeDefault: true, by: envelope())
            }
            for text in settings.operatorKeys {
                guard let key = IssuedKey(text) else { continue }
                do throws(CommandError) {
                    _ = try await desk.issuePlatformKey(.operator, key: key, by: envelope())
                } catch {
                    // Revoked, or its id is another key's: everything else still works.
                    guard error == .platformKeys(.keyExists) else { throw error }
                    logger.warning("an operator key of the settings is not good", metadata: ["key": "\(key.id)"])
                }
            }
        } catch {
            throw DevFailure("the log cannot be prepared: \(error)")
        }
    }

    /// Only the first start registers a release; afterwards the default is what operators made it.
    private func isWithoutReleases() async throws(CommandError) -> Bool {
        do throws(LogError) {
            let stream = StreamName(category: ReleaseEvent.category, id: "railzway")
            return try await log.read(stream, after: 0, limit: 1).isEmpty
        } catch {
            throw .unavailable
        }
    }

    /// Makes the user `developer` with this key; nothing happens when both are there.
    func registerDeveloper(key text: String) async throws {
        guard let key = IssuedKey(text) else { throw DevFailure("the developer's key is malformed") }
        let envelope = { CommandEnvelope.own(ids: .system) }
        let receipt: Receipt<KeyShown>
        do throws(CommandError) {
            let user = try await desk.registerUser(issuer: "local", subject: "developer", by: envelope()).answer.user
            receipt = try await desk.issueUserKey(for: user, key: key, by: envelope())
        } catch {
            if error == .user(.keyExists) {
                return logger.warning(
                    "the developer's key was revoked; remove keys/api for a new one at the next start"
                )
            }
            throw DevFailure("the user developer cannot be made: \(error)")
        }
        // Whoever reads the announcement uses the key at once.
        do throws(ReadError) {
            try await ReadModels(pool: pools.project).wait(for: receipt.position, timeout: .seconds(20))
        } catch {
            throw DevFailure("the read models do not catch up")
        }
    }

    /// What readiness depends on besides the database: an answer that is minutes old is no answer.
    private static func checks(_ models: ReadModels) async -> [PlaneDoor.Check] {
        do throws(ReadError) {
            let lag = try await models.projections().filter(\.live).map(\.lag).max() ?? 0
            return [.init("projections", problem: lag > 10_000 ? "the read models are \(lag) events behind" : nil)]
        } catch {
            return [.init("projections", problem: "the read models cannot be asked")]
        }
    }

    private static func wakeup(_ bell: Bell) -> SagaEngine.Wakeup {
        SagaEngine.wakeup(by: bell)
    }

    private static func masterKeys(_ settings: Settings) throws(ConfigurationError) -> MasterKeys {
        let lines = settings.masterKeys.split(separator: ",").joined(separator: "\n")
        do {
            return try MasterKeys(parsing: lines)
        } catch {
            throw ConfigurationError(problems: ["SIGNALBOX_MASTER_KEYS is not usable: \(error)"])
        }
    }

    /// Host and process, for people who look at leases.
    private static var owner: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return "\(host):\(getpid())"
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

/// The version of this build.
enum Version {
    static let text = "0.1.0"
}
