import Platform
import Synchronization

/// Everything outside, with the rules of the real targets: transition tables, compare-and-set, idempotency keys.
final class World: Sendable {
    /// Protections that can be switched off, to see that something notices.
    struct Guards: Sendable {
        var settleLock = true
        var leaseAtTarget = true
        var compareAndSet = true
        var tombstone = true
        var idempotencyKeys = true
    }

    struct Job: Sendable, Equatable {
        var owner: Ownership
        var index: Int64
        var version: Int
        var isStopped: Bool
        var stoppedBy: String?
        var environment: [String: String]
    }

    struct Variable: Sendable {
        var owner: Ownership
        var index: Int64
        var items: [String: Secret] = [:]
        var emptiedBy: String?
    }

    struct Subscription: Sendable, Equatable {
        var id: String
        var key: String
        var status: BillingStatus
    }

    struct State: Sendable {
        var roles: [String: (owner: Ownership, password: Secret)] = [:]
        var databases: [String: Ownership] = [:]
        var isolated: Set<String> = []
        var quarantined: Set<String> = []
        var jobs: [String: Job] = [:]
        var index: Int64 = 100
        var secrets: [String: Variable] = [:]
        var customers: [String] = []
        var subscriptions: [Subscription] = []
        var activations = 0
        /// The keys of pauses and resumptions; a second call with one of them has no effect.
        var transitions: Set<String> = []
        var rotations = 0
        /// What dead processes have on its way: the lock it holds, and what it does.
        var inFlight: [(lock: String?, land: @Sendable (inout State) -> Void)] = []
        /// What the next call of a name answers instead of doing anything.
        var refusals: [String: [PortError]] = [:]
        /// What every call of a name answers.
        var outages: [String: PortError] = [:]
        var health: [WorkloadHealth] = []
        var routeProblems: [String] = []
    }

    let guards: Guards
    private let state = Mutex(State())

    init(guards: Guards = Guards()) {
        self.guards = guards
    }

    func read<Value>(_ body: (State) -> Value) -> Value { state.withLock { body($0) } }

    func change<Value: Sendable>(_ body: (inout State) -> Value) -> Value { state.withLock { body(&$0) } }

    /// Everything that was on its way arrives now.
    func land(lock: String? = nil) {
        state.withLock { state in
            let landing = state.inFlight.filter { lock == nil || $0.lock == lock }
            state.inFlight.removeAll { lock == nil || $0.lock == lock }
            for effect in landing { effect.land(&state) }
        }
    }

    /// One call of one process, with its two points.
    ///
    /// - Parameters:
    ///   - name: Which call, for faults and refusals.
    ///   - process: The caller.
    ///   - lock: The settle lock it takes at the target; what an earlier caller has under way there lands first.
    ///   - effect: What the target does, at once.
    /// - Returns: What the target answers.
    /// - Throws: What the target answers, or what becomes of the process.
    func call<Value: Sendable>(
        _ name: String,
        by process: SimulatedProcess,
        lock: String? = nil,
        _ effect: @escaping @Sendable (inout State) -> Result<Value, PortError>
    ) async throws(PortError) -> Value {
        guard !process.isDead else { throw SimulatedProcess.death }
        let verdict = await process.reach(.before(name))
        if case .dieInFlight = verdict {
            state.withLock { $0.inFlight.append((lock, { _ = effect(&$0) })) }
        }
        guard !process.isDead else { throw SimulatedProcess.death }
        if let lock, guards.settleLock {
            land(lock: lock)
            if guards.leaseAtTarget { try await EffectLease.require() }
        }
        let result = state.withLock { state -> Result<Value, PortError> in
            if let error = state.outages[name] { return .failure(error) }
            if let error = state.refusals[name]?.first {
                state.refusals[name]?.removeFirst()
                return .failure(error)
            }
            return effect(&state)
        }
        switch await process.reach(.after(name)) {
        case .lose: throw .unknown(code: "lost", message: "the answer was lost")
        case .go, .die, .dieInFlight: break
        }
        guard !process.isDead else { throw SimulatedProcess.death }
        return try result.get()
    }
}
