import Commands
import Domain
import EventStore
import Kernel
import Logging
import Platform
import SignalboxTestKit
import Synchronization
import Testing

@testable import Sagas

/// One organization that was just onboarded, a world around it, and as many processes as a test wants, on a clock that
/// only moves when somebody pauses.
final class Simulation: Sendable {
    let world: World
    let log: MemoryLog
    let clock: SimulatedClock
    let organization = OrganizationID(at: Timestamp(microseconds: 0), random: 42)
    let subscription = SubscriptionID(at: Timestamp(microseconds: 0), random: 4200)
    let instance = InstanceID(at: Timestamp(microseconds: 0), random: 4201)
    let cause: UniqueID
    let settings: TenantSettings
    let hasOAuth: Bool
    let isFenced: Bool
    private let keys: MasterKeys

    /// Named when secrets are drawn in memory instead of derived: the mutant.
    let drawsSecrets: Bool

    init(
        guards: World.Guards = World.Guards(),
        settings: TenantSettings = TenantSettings(oauthURI: "https://auth.example"),
        hasOAuth: Bool = true,
        isFenced: Bool = true,
        drawsSecrets: Bool = false,
        plan: PlanSnapshot = .simulated
    ) async throws {
        clock = SimulatedClock()
        world = World(guards: guards)
        log = MemoryLog(ids: clock.ids)
        self.settings = settings
        self.hasOAuth = hasOAuth
        self.isFenced = isFenced
        self.drawsSecrets = drawsSecrets
        keys = try MasterKeys([1: Self.key(1)])
        cause = clock.ids.unique()
        _ = try await log.append(try onboarding(plan))
    }

    private static func key(_ seed: UInt64) -> [UInt8] {
        var state = seed
        return (0..<32).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    /// What onboarding appends: an organization, its subscription, its instance.
    func onboarding(_ plan: PlanSnapshot = .simulated) throws -> AppendRequest {
        let price = PriceSnapshot(code: "team-monthly", currency: "USD", amount: 9900, interval: "month")
        let requested = InstanceEvent.Requested(
            organization: organization,
            subscription: subscription,
            name: "main",
            slug: "acme",
            organizationName: "Acme",
            kind: .managedApp,
            plan: plan,
            release: ReleaseSnapshot(application: "railzway", version: "v1.6.0", image: "ghcr.io/x/railzway:v1.6.0"),
            computeEngine: .hetzner,
            generation: 1
        )
        let created = OrganizationEvent.created(
            .init(name: "Acme", slug: "acme", owner: UserID(at: Timestamp(microseconds: 0), random: 7))
        )
        let bought = SubscriptionEvent.requested(
            .init(organization: organization, instance: instance, price: price, plan: plan)
        )
        return
            AppendRequest(
                causation: Causation(actor: "user-7", command: clock.ids.unique()),
                writes: [
                    StreamWrite(
                        StreamName(category: "organization", id: organization),
                        organization: organization,
                        expecting: .none,
                        events: [try new(created, clock.ids.unique())]
                    ),
                    StreamWrite(
                        StreamName(category: "subscription", id: subscription),
                        organization: organization,
                        expecting: .none,
                        events: [try new(bought, clock.ids.unique())]
                    ),
                    StreamWrite(
                        StreamName(category: "instance", id: instance),
                        organization: organization,
                        expecting: .none,
                        events: [try new(InstanceEvent.requested(requested), cause)]
                    ),
                ]
            )
    }

    private func new(_ event: some EventFamily, _ id: UniqueID) throws -> NewEvent {
        NewEvent(id: id, type: event.name.rawValue, payload: try event.payload())
    }

    // MARK: Processes

    func ports(_ process: SimulatedProcess) throws -> ProvisioningPorts {
        let outside = WorldPorts(world: world, process: process)
        let derived =
            drawsSecrets
            ? DerivedSecrets(keys: try MasterKeys([1: Self.key(clock.ids.random())])) : DerivedSecrets(keys: keys)
        return ProvisioningPorts(
            databases: outside,
            scheduler: outside,
            billing: outside,
            edge: outside,
            oauth: hasOAuth ? outside : nil,
            derived: derived,
            kept: outside,
            names: Names(),
            settings: settings
        )
    }

    func definition(_ process: SimulatedProcess) throws -> SagaDefinition {
        ProvisionInstance(ports: try ports(process)).definition
    }

    func engine(
        _ process: SimulatedProcess = SimulatedProcess(),
        definition: SagaDefinition? = nil,
        snapshots: SnapshotKeeper? = nil
    ) throws -> SagaEngine {
        let reach = SimulatedLog(log: log, process: process, isFenced: isFenced)
        return SagaEngine(
            log: reach,
            queue: reach,
            definitions: try definition.map { [$0] } ?? SagaRegistry.definitions(ports(process)),
            owner: "test",
            ids: clock.ids,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            snapshots: snapshots,
            pausing: { [clock] span in clock.advance(span) }
        )
    }

    func starter(_ checkpoint: MemoryCheckpoint = MemoryCheckpoint()) throws -> Starter {
        Starter(
            log: log,
            queue: log,
            checkpoint: checkpoint,
            definitions: try SagaRegistry.definitions(ports(SimulatedProcess())),
            ids: clock.ids,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    func start() async throws {
        let checkpoint = MemoryCheckpoint()
        while try await starter(checkpoint).turn() {}
    }

    /// Turns the engine until the saga rests, letting time pass whenever nothing is due.
    func settle(_ engine: SagaEngine, patience: Int = 5000) async throws {
        for _ in 0..<patience {
            if await engine.turn() > 0 { continue }
            let active = try await log.list(kinds: nil, statuses: ["queued", "running", "waiting", "compensating"])
            guard let item = active.first, let due = log.wakeAt(item.stream) else { return }
            clock.advance(max(.milliseconds(1), due - clock.ids.now()))
        }
        Issue.record("the saga does not come to an end")
    }

    func provision(_ process: SimulatedProcess = SimulatedProcess()) async throws {
        try await start()
        try await settle(try engine(process))
    }

    // MARK: What came of it

    func stream(_ cause: UniqueID? = nil) throws -> StreamName {
        try #require(StreamName(SagaCause.stream(kind: ProvisionInstance.kind, cause: cause ?? self.cause)))
    }

    func sagaEvents(_ cause: UniqueID? = nil) throws -> [SagaEvent] {
        let stream = try stream(cause)
        return try log.events.filter { $0.stream == stream }.compactMap { event in
            try SagaEvent.decode(
                type: event.type,
                schemaVersion: event.schemaVersion,
                payload: event.payload ?? []
            )
        }
    }

    func status(_ cause: UniqueID? = nil) async throws -> String? {
        let stream = try stream(cause)
        let all = SagaEngine.activeStatuses + ["completed", "compensated", "abandoned", "superseded"]
        return try await log.list(kinds: nil, statuses: all).first { $0.stream == stream }?.status
    }

    func stage() async throws -> Instance.Stage {
        let events = try await log.read(StreamName(category: "instance", id: instance), after: 0, limit: 1000)
        let history = try events.compactMap { event in
            try InstanceEvent.decode(
                type: event.type,
                schemaVersion: event.schemaVersion,
                payload: event.payload ?? []
            )
        }
        return Instance(replaying: history).stage
    }

    func operations() throws -> SagaOperations {
        SagaOperations(
            log: log,
            queue: log,
            definitions: try SagaRegistry.definitions(ports(SimulatedProcess())),
            ids: clock.ids
        )
    }
}

/// A clock that only others move, and a random generator with a seed.
final class SimulatedClock: Sendable {
    private let state = Mutex((now: Timestamp(microseconds: 1_790_000_000_000_000), seed: UInt64(7)))

    func advance(_ span: Duration) { state.withLock { $0.now = $0.now + span } }

    var ids: IDSource {
        IDSource(
            now: { self.state.withLock { $0.now } },
            random: {
                self.state.withLock { state in
                    // SplitMix64 (Steele, Lea, Flood 2014).
                    state.seed &+= 0x9E37_79B9_7F4A_7C15
                    var mixed = state.seed
                    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
                    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
                    return mixed ^ (mixed >> 31)
                }
            }
        )
    }
}

final class MemoryCheckpoint: SagaCheckpoint {
    private let place = Mutex<Int64>(0)
    func position() async throws(LogError) -> Int64 { place.withLock { $0 } }
    func advance(to position: Int64) async throws(LogError) { place.withLock { $0 = max($0, position) } }
}

extension PlanSnapshot {
    static let simulated = PlanSnapshot(
        tier: .team,
        resources: Resources(cpu: 2000, memory: 4096, priority: 90),
        update: UpdatePolicy(canary: 1, autoRevert: true),
        quotas: Dictionary(uniqueKeysWithValues: TenantEnvironment.quotas.map { ($0, "100") }),
        entitlements: [:]
    )
}
