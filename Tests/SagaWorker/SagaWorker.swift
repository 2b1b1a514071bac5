import Adapters
import AsyncHTTPClient
import Commands
import EventStore
import Glibc
import Kernel
import Logging
import Platform
import Postgres
import Sagas
import UnixSignals

/// A process that starts and drives sagas against real targets until it is killed or told to stop, and tells what it
/// loses.
///
/// `SAGA_WORKER_FAIL` names a place, such as `after create-database` or `before undo of create-role`; the first time it
/// comes there it sends itself the signal `SAGA_WORKER_SIGNAL`.
@main
enum SagaWorker {
    static func main() async throws {
        let pool = Pool(conninfo: setting("CONTROL"), size: 4, role: "signalbox_append", applicationName: "sagas")
        let log = try await PostgresLog.open(
            conninfo: setting("CONTROL"),
            pool: pool,
            durability: .commit,
            patience: .seconds(5)
        )
        let queue = PostgresWorkQueue(pool: pool)
        let http = HTTPCaller.makeClient()
        let failpoint = Failpoint(place: setting("FAIL"), signal: Int32(setting("SIGNAL")) ?? SIGKILL)
        let definitions = SagaRegistry.definitions(try ports(pool, log, http)).map(failpoint.armed)
        let logger = Logger(label: "worker", factory: { StreamLogHandler.standardOutput(label: $0) })
        let quick = Backoff(shortest: .milliseconds(100), longest: .seconds(1))
        let engine = SagaEngine(
            log: log,
            queue: queue,
            definitions: definitions,
            owner: "worker-\(getpid())",
            settings: EngineSettings(lease: .seconds(2), poll: .milliseconds(50), forward: quick, undo: quick),
            logger: logger,
            targets: PostgresTargetBoard(pool: pool)
        )
        let starter = Starter(
            log: log,
            queue: queue,
            checkpoint: PostgresCheckpoint(pool: pool),
            definitions: definitions,
            logger: logger,
            poll: .milliseconds(50)
        )
        let signals = await UnixSignalsSequence(trapping: .sigterm)
        await withDiscardingTaskGroup { group in
            group.addTask { await log.run() }
            group.addTask { await starter.run() }
            group.addTask {
                for await _ in signals { engine.stop() }
            }
            // Whoever waits for the word reads it in a file, which is written when it is full.
            logger.info("ready")
            fflush(nil)
            await engine.run()
            log.close()
            group.cancelAll()
        }
        await pool.close()
        // A client that is only let go of ends the process with a crash.
        try await http.shutdown()
    }

    private static func ports(_ pool: Pool, _ log: PostgresLog, _ http: HTTPClient) throws -> ProvisioningPorts {
        let keys = try MasterKeys([1: (1...32).map { UInt8(truncatingIfNeeded: $0 &* 73 &+ 19) }])
        let nomad = NomadClient(caller: HTTPCaller(client: http, base: setting("NOMAD")))
        let timing = WorkloadTiming(
            minimumHealthy: .milliseconds(100),
            healthyDeadline: .seconds(30),
            progressDeadline: .seconds(40),
            checkInterval: .seconds(1),
            checkTimeout: .seconds(1)
        )
        var ports = ProvisioningPorts(
            databases: TenantPostgres(
                conninfo: setting("TENANTS"),
                address: DatabaseAddress(host: "127.0.0.1", port: 5432),
                protecting: []
            ),
            scheduler: NomadScheduler(
                client: nomad,
                specification: JobSpecification(.init(development: true, timing: timing))
            ),
            billing: BillingClient(
                caller: HTTPCaller(
                    client: http,
                    base: setting("BILLING"),
                    headers: BillingClient.headers(key: Secret(setting("BILLING_KEY"))),
                    timeout: .seconds(5)
                )
            ),
            derived: DerivedSecrets(keys: keys),
            kept: SealedSecrets(pool: pool, keys: keys),
            names: Names(),
            settings: TenantSettings()
        )
        (ports.records, ports.log) = (Records(log: log), log)
        return ports
    }

    private static func setting(_ name: String) -> String {
        getenv("SAGA_WORKER_" + name).map { String(cString: $0) } ?? ""
    }
}
