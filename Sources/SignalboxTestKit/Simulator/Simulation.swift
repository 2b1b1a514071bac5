internal import Commands
package import Domain
package import EventStore
package import Kernel
internal import Logging
internal import Platform
package import Sagas
package import SignalboxTestKit

/// One organization that was just onboarded, a world around it, and as many processes as a test wants, on a clock that
/// only moves when nothing is due.
package final class Simulation: Sendable {
    package let world: World
    package let log: MemoryLog
    package let clock: SimulatedClock
    package let checkpoint: MemoryCheckpoint
    package let organization = OrganizationID(at: Timestamp(microseconds: 0), random: 42)
    package let subscription = SubscriptionID(at: Timestamp(microseconds: 0), random: 4200)
    package let instance = InstanceID(at: Timestamp(microseconds: 0), random: 4201)
    /// The event by which the organization's first instance was asked for.
    package let cause: UniqueID
    package let settings: TenantSettings
    package let hasOAuth: Bool
    /// What happens when the organization is deleted.
    let deletion: Deletion
    /// Whether the reconciler looks at the end.
    let isReconciled: Bool
    /// The protection that is switched off.
    package let mutant: Mutant?
    private let keys: MasterKeys
    private let alteration: Alteration?

    /// Changes a definition of a simulation.
    typealias Alteration = @Sendable (SagaDefinition, Simulation) -> SagaDefinition

    package init(
        without mutant: Mutant? = nil,
        settings: TenantSettings = .simulated,
        hasOAuth: Bool = true,
        plan: PlanSnapshot = .simulated,
        deletion: Deletion = .cancels,
        isReconciled: Bool = false
    ) async throws {
        clock = SimulatedClock()
        world = World(without: mutant, clock: clock)
        log = MemoryLog(ids: clock.ids)
        checkpoint = MemoryCheckpoint()
        self.settings = settings
        self.hasOAuth = hasOAuth
        self.mutant = mutant
        (self.deletion, self.isReconciled) = (deletion, isReconciled)
        keys = try MasterKeys([1: Self.key(1)])
        alteration = nil
        cause = clock.ids.unique()
        _ = try await log.append(try onboarding(plan))
    }

    private init(copying other: Simulation, altering alteration: Alteration?) {
        clock = other.clock.copy()
        world = other.world.copy(clock: clock)
        log = other.log.copy(ids: clock.ids)
        checkpoint = other.checkpoint.copy()
        (settings, hasOAuth, mutant) = (other.settings, other.hasOAuth, other.mutant)
        (keys, cause) = (other.keys, other.cause)
        (deletion, isReconciled) = (other.deletion, other.isReconciled)
        self.alteration = alteration
    }

    /// Another simulation in which all is as it is here, and which goes its own way.
    package func copy() -> Simulation { Simulation(copying: self, altering: alteration) }

    /// The same, with other definitions.
    func copy(altering alteration: @escaping Alteration) -> Simulation {
        Simulation(copying: self, altering: alteration)
    }

    private static func key(_ seed: UInt64) -> [UInt8] {
        var state = seed
        return (0..<32).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    // MARK: Processes

    package func ports(_ process: SimulatedProcess) throws -> ProvisioningPorts {
        let outside = WorldPorts(
            world: world,
            process: process,
            arrival: settings.billingCall,
            withdrawn: { [log] in Self.withdrawn(in: log) }
        )
        let derived =
            mutant == .derivation
            ? DerivedSecrets(keys: try MasterKeys([1: Self.key(clock.ids.random())])) : DerivedSecrets(keys: keys)
        var ports = ProvisioningPorts(
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
        (ports.backups, ports.records, ports.personal) = (outside, Records(log: log), outside)
        (ports.log, ports.tenants) = (log, outside)
        return ports
    }

    /// Every saga of the registry, over this world.
    package func definitions(_ process: SimulatedProcess = SimulatedProcess()) throws -> [SagaDefinition] {
        let all = SagaRegistry.definitions(try ports(process))
        return all.map { mutant?.applied(to: $0) ?? $0 }.map { alteration?($0, self) ?? $0 }
    }

    package func definition(
        _ process: SimulatedProcess = SimulatedProcess(),
        of kind: String = ProvisionInstance.kind
    ) throws -> SagaDefinition {
        guard let found = try definitions(process).last(where: { $0.kind == kind }) else { throw Unknown(kind: kind) }
        return found
    }

    /// A saga that no definition stands for.
    package struct Unknown: Error {
        var kind: String
    }

    package func engine(
        _ process: SimulatedProcess = SimulatedProcess(),
        definition: SagaDefinition? = nil,
        definitions all: [SagaDefinition]? = nil,
        snapshots: SnapshotKeeper? = nil
    ) throws -> SagaEngine {
        let reach = SimulatedLog(log: log, process: process, isFenced: mutant != .fence)
        return SagaEngine(
            log: reach,
            queue: reach,
            definitions: try definition.map { [$0] } ?? all ?? definitions(process),
            owner: "test",
            ids: clock.ids,
            logger: Self.silence,
            snapshots: snapshots,
            pausing: { [clock] span in clock.advance(span) }
        )
    }

    package func starter(
        _ process: SimulatedProcess = SimulatedProcess(),
        at checkpoint: MemoryCheckpoint? = nil,
        definitions all: [SagaDefinition]? = nil
    ) throws -> Starter {
        let reach = SimulatedLog(log: log, process: process)
        return Starter(
            log: reach,
            queue: reach,
            checkpoint: checkpoint ?? self.checkpoint,
            definitions: try all ?? definitions(process),
            ids: clock.ids,
            logger: Self.silence
        )
    }

    static var silence: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// Starts every saga whose cause is in the log; reads the whole of it again.
    package func start() async throws {
        let checkpoint = MemoryCheckpoint()
        while try await starter(at: checkpoint).turn() {}
    }

    package func operations() throws -> SagaOperations {
        SagaOperations(log: log, queue: log, definitions: try definitions(), ids: clock.ids)
    }

    // MARK: Time

    /// A simulation that goes on and on.
    package struct Endless: Error, CustomStringConvertible {
        package var description: String { "it does not come to an end" }
    }

    /// Turns the engine until every saga rests, letting time pass whenever nothing is due.
    ///
    /// - Throws: ``Endless``.
    package func settle(_ engine: SagaEngine, patience: Int = 5000) async throws {
        for _ in 0..<patience {
            if await engine.turn() > 0 { continue }
            guard let due = try await due() else { return }
            clock.advance(max(.milliseconds(1), due - clock.ids.now()))
        }
        throw Endless()
    }

    /// Lets one process do whatever is to be done, until nothing is, or until it is gone.
    ///
    /// - Throws: ``Endless``.
    package func settle(_ process: SimulatedProcess, patience: Int = 5000) async throws {
        if try await checkpoint.position() == log.frontier(), try await due() == nil { return }
        let all = try definitions(process)
        let (engine, starter) = (try engine(process, definitions: all), try starter(process, definitions: all))
        for _ in 0..<patience {
            guard !process.isDismissed else { return }
            do throws(LogError) {
                while try await starter.turn() {}
            } catch {
                clock.advance(.seconds(1))
                continue
            }
            guard !process.isDismissed else { return }
            if await engine.turn() > 0 { continue }
            guard let due = try await due() else {
                guard try await checkpoint.position() < log.frontier() else { return }
                clock.advance(.seconds(1))
                continue
            }
            clock.advance(max(.milliseconds(1), due - clock.ids.now()))
        }
        throw Endless()
    }

    /// Lets one process do what is to be done until a call, or an append of an event, is through; then it dies.
    ///
    /// - Parameter name: Of the call, or the type of the event.
    /// - Throws: ``Endless``.
    func settle(until name: String) async throws {
        let events = SimulatedProcess.Point.append
        try await settle(
            SimulatedProcess { _, point in
                guard case .after(let passed) = point else { return .go }
                let isThrough =
                    passed.hasPrefix(events) ? passed.split(separator: " ").contains { $0 == name } : passed == name
                return isThrough ? .die : .go
            }
        )
    }

    package static let statuses =
        SagaEngine.activeStatuses + ["completed", "compensated", "abandoned", "superseded"]

    /// When something is to be done next; `nil` for never, unless a person does something.
    ///
    func due() async throws(LogError) -> Timestamp? {
        let active = try await log.list(kinds: nil, statuses: SagaEngine.activeStatuses)
        let taken = Set(active.filter { $0.status != "queued" && !$0.lane.isEmpty }.map(\.lane))
        let held = waitingForPeople(active)
        return
            active
            .filter { $0.status != "queued" || !taken.contains($0.lane) }
            .filter { !held.contains($0.stream) }
            .compactMap { log.wakeAt($0.stream) }
            .min()
    }

    package func provision(_ process: SimulatedProcess = SimulatedProcess()) async throws {
        try await start()
        try await settle(try engine(process))
    }

    /// What is parked, and whoever waits for its end, however often it looks: its parents, and what has a lane beside it.
    func waitingForPeople(_ active: [WorkItem]) -> Set<StreamName> {
        let parked = active.filter { $0.status == "parked" }
        guard !parked.isEmpty else { return [] }
        let parents = Set(parked.compactMap { parent(of: $0.stream) })
        let lanes = parked.map { $0.lane + "/" }
        let waiting = active.filter { item in
            item.status == "parked" || parents.contains(item.stream.text)
                || item.status == "waiting" && lanes.contains { item.lane.hasPrefix($0) }
        }
        return Set(waiting.map(\.stream))
    }

    private func parent(of saga: StreamName) -> String? {
        guard case .started(let fact)? = try? history(of: SagaEvent.self, in: saga).first else { return nil }
        return fact.parent
    }
}
