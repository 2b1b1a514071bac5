internal import Kernel
package import Platform
internal import Synchronization

/// Everything outside, with the rules of the real targets: transition tables, compare-and-set, idempotency keys.
package final class World: Sendable {
    package struct Job: Sendable, Equatable {
        package var owner: Ownership
        package var index: Int64
        package var version: Int
        package var isStopped: Bool
        package var stoppedBy: String?
        package var environment: [String: String]
        /// The secret as it was read when what runs was started.
        package var reads: [String: Secret] = [:]
        /// How often it was started.
        package var starts = 0
        /// MB.
        package var memory = 0
        package var image = ""

        package init(
            owner: Ownership,
            index: Int64,
            version: Int,
            isStopped: Bool,
            stoppedBy: String? = nil,
            environment: [String: String],
            reads: [String: Secret] = [:],
            starts: Int = 0,
            memory: Int = 0,
            image: String = ""
        ) {
            self.owner = owner
            self.index = index
            self.version = version
            self.isStopped = isStopped
            self.stoppedBy = stoppedBy
            self.environment = environment
            self.reads = reads
            self.starts = starts
            self.memory = memory
            self.image = image
        }

        /// Starts what runs anew; it reads the secret as it is by now.
        mutating func start(reading items: [String: Secret]?) {
            guard !isStopped else { return }
            reads = items ?? [:]
            starts += 1
        }
    }

    package struct Variable: Sendable {
        package var owner: Ownership
        package var index: Int64
        package var items: [String: Secret] = [:]
        package var emptiedBy: String?
    }

    package struct Subscription: Sendable, Equatable {
        package var id: String
        package var key: String
        package var status: BillingStatus
        /// How often it went from draft to active.
        package var activations = 0
        /// The code of what is paid.
        package var price = ""
    }

    package struct State: Sendable {
        package var roles: [String: (owner: Ownership, password: Secret)] = [:]
        package var databases: [String: Ownership] = [:]
        package var isolated: Set<String> = []
        package var quarantined: Set<String> = []
        package var backups: Set<String> = []
        /// Whose personal data was erased.
        package var erased: Set<String> = []
        package var jobs: [String: Job] = [:]
        package var index: Int64 = 100
        package var secrets: [String: Variable] = [:]
        package var customers: [String] = []
        package var subscriptions: [Subscription] = []
        /// The keys of pauses and resumptions; a second call with one of them has no effect.
        package var transitions: Set<String> = []
        package var rotations = 0
        /// The secrets that others gave us.
        package var kept: [String: Secret] = [:]
        /// What is on its way to a target while nobody waits for it any more.
        var inFlight: [SimulatedProcess.Request] = []
        /// What the next call of a name answers instead of doing anything.
        package var refusals: [String: [PortError]] = [:]
        /// What every call of a name answers.
        package var outages: [String: PortError] = [:]
        package var health: [WorkloadHealth] = []
        /// What comes of workloads that run once; the last is said again and again, and without any they succeed.
        package var ends: [WorkloadEnd] = []
        /// What tenants say of themselves; the last is said again and again, and without any they are ready.
        package var readiness: [TenantReadiness] = []
        /// Whose scheduler works, by database, where it is not the first slot's.
        package var leases: [String: (slot: String, epoch: Int64)] = [:]
        /// Whether the scheduler starts tasks anew whose secret has changed.
        package var restartsByItself = true
        /// What no node has; `nil` when there is room for everything.
        package var missing: String?
        /// Whether billing lets keys change the items of a subscription.
        package var grantsItemChanges = false
        package var routeProblems: [String] = []
    }

    /// The protection that is switched off.
    package let mutant: Mutant?
    private let clock: SimulatedClock
    private let state: Mutex<State>

    package convenience init(without mutant: Mutant? = nil, clock: SimulatedClock) {
        self.init(State(), without: mutant, clock: clock)
    }

    private init(_ content: State, without mutant: Mutant?, clock: SimulatedClock) {
        self.mutant = mutant
        self.clock = clock
        state = Mutex(content)
    }

    /// Another world in which all is the same, by another clock.
    package func copy(clock: SimulatedClock) -> World { World(state.withLock { $0 }, without: mutant, clock: clock) }

    package func read<Value>(_ body: (State) -> Value) -> Value { state.withLock { body($0) } }

    package func change<Value: Sendable>(_ body: (inout State) -> Value) -> Value { state.withLock { body(&$0) } }

    /// Sends a request on its way.
    package func send(_ request: SimulatedProcess.Request) { state.withLock { $0.inFlight.append(request) } }

    /// Everything that was on its way arrives now.
    package func land() { land { _ in true } }

    private func land(_ isDue: (SimulatedProcess.Request) -> Bool) {
        state.withLock { state in
            let landing = state.inFlight.filter(isDue)
            state.inFlight.removeAll(where: isDue)
            for request in landing { request.land(&state) }
        }
    }

    /// One call of one process, with its two points.
    ///
    /// - Parameters:
    ///   - name: Which call, for faults and refusals.
    ///   - process: The caller.
    ///   - lock: The settle lock it takes at the target; what an earlier caller has under way there lands first.
    ///   - arrival: For so long it can be on its way; `nil` for ever.
    ///   - effect: What the target does, at once.
    /// - Returns: What the target answers.
    /// - Throws: What the target answers, or what becomes of the process.
    func call<Value: Sendable>(
        _ name: String,
        by process: SimulatedProcess,
        lock: String? = nil,
        arrivingWithin arrival: Duration? = nil,
        _ effect: @escaping @Sendable (inout State) -> Result<Value, PortError>
    ) async throws(PortError) -> Value {
        guard !process.isDead else { throw SimulatedProcess.death }
        let now = clock.ids.now()
        let request = SimulatedProcess.Request(lock: lock, due: arrival.map { now + $0 }) { _ = effect(&$0) }
        let verdict = await process.reach(.before(name), with: request)
        switch verdict {
        case .dieInFlight: send(request)
        case .delay:
            send(request)
            throw .unknown(code: "timeout", message: "no answer in time")
        case .fail(let error): throw error
        case .go, .die, .lose: break
        }
        guard !process.isDead else { throw SimulatedProcess.death }
        let moment = clock.ids.now()
        // A call that has stood still for longer than it may last is given up by its own client.
        if let due = request.due, due <= moment { throw .unknown(code: "timeout", message: "no answer in time") }
        land { $0.due.map { $0 <= moment } ?? false }
        if let lock, mutant != .settleLock {
            land { $0.lock == lock }
            // A worker whose lease is gone is told so by its append and, at the target, by its lease.
            if mutant != .fence { try await EffectLease.require() }
        }
        let result = state.withLock { state -> Result<Value, PortError> in
            if let error = state.outages[name] { return .failure(error) }
            if let error = state.refusals[name]?.first {
                state.refusals[name]?.removeFirst()
                return .failure(error)
            }
            return effect(&state)
        }
        let answer = await process.reach(.after(name))
        guard !process.isDead else { throw SimulatedProcess.death }
        if case .lose = answer { throw .unknown(code: "lost", message: "the answer was lost") }
        return try result.get()
    }
}
