/// How long a scheduler waits before it believes in a workload; the defaults are production's.
package struct WorkloadTiming: Sendable, Equatable, Codable {
    package var minimumHealthy: Duration
    package var healthyDeadline: Duration
    package var progressDeadline: Duration
    package var checkInterval: Duration
    package var checkTimeout: Duration

    package init(
        minimumHealthy: Duration = .seconds(10),
        healthyDeadline: Duration = .seconds(300),
        progressDeadline: Duration = .seconds(600),
        checkInterval: Duration = .seconds(10),
        checkTimeout: Duration = .seconds(2)
    ) {
        self.minimumHealthy = minimumHealthy
        self.healthyDeadline = healthyDeadline
        self.progressDeadline = progressDeadline
        self.checkInterval = checkInterval
        self.checkTimeout = checkTimeout
    }
}

/// One workload as it should run: everything a job specification is made of, and nothing secret.
package struct Workload: Sendable, Equatable {
    /// Job, group and service name.
    package var job: String
    /// `a` or `b`.
    package var slot: String
    package var owner: Ownership
    /// The tier's label, such as `team`.
    package var tier: String
    package var computeEngine: String
    /// MHz.
    package var cpu: Int
    /// MB.
    package var memory: Int
    package var priority: Int
    package var canary: Int
    package var autoRevert: Bool
    /// By digest when known.
    package var image: String
    /// The environment of the tenant, without secrets.
    package var environment: [String: String]
    /// Which environment variable of the tenant reads which item of the workload's secret.
    package var secretEnvironment: [String: String]
    /// When given, it has no service: it runs once with these arguments, and ends.
    package var once: [String]?

    package init(
        job: String,
        slot: String,
        owner: Ownership,
        tier: String,
        computeEngine: String,
        cpu: Int,
        memory: Int,
        priority: Int,
        canary: Int,
        autoRevert: Bool,
        image: String,
        environment: [String: String],
        secretEnvironment: [String: String],
        once: [String]? = nil
    ) {
        self.job = job
        self.slot = slot
        self.owner = owner
        self.tier = tier
        self.computeEngine = computeEngine
        self.cpu = cpu
        self.memory = memory
        self.priority = priority
        self.canary = canary
        self.autoRevert = autoRevert
        self.image = image
        self.environment = environment
        self.secretEnvironment = secretEnvironment
        self.once = once
    }
}

/// A workload as the scheduler has it.
package struct RegisteredWorkload: Sendable, Equatable, Codable {
    package var job: String
    package var version: Int
    /// Nomad's JobModifyIndex, read again after the write.
    package var modifyIndex: Int64
    /// Hex SHA-256 of the specification as it was sent.
    package var specHash: String

    package init(job: String, version: Int, modifyIndex: Int64, specHash: String) {
        self.job = job
        self.version = version
        self.modifyIndex = modifyIndex
        self.specHash = specHash
    }
}

/// How a registered version is doing.
package enum WorkloadHealth: Sendable, Equatable {
    case healthy
    /// Not yet; the reason is for people.
    case deploying(reason: String)
    /// No node fits; the reason names what is missing.
    case waitingForCapacity(reason: String)
    /// The scheduler has given up on this version.
    case failed(reason: String)
}

/// What came of a workload that runs once.
package enum WorkloadEnd: Sendable, Equatable {
    /// Not over yet; the reason is for people.
    case running(reason: String)
    case succeeded
    /// It is not tried again.
    case failed(reason: String)
}

/// Runs the workloads of tenants.
package protocol WorkloadScheduler: Sendable {
    /// Makes the workload's secret exactly these items, unless a newer generation wrote it.
    ///
    /// Equal items are not written again.
    func putSecret(_ items: [String: Secret], for workload: Workload) async throws(PortError)

    /// Makes the workload's secret these items again, and leaves a mark, so that a late write of the same owner's saga
    /// fails.
    ///
    /// - Returns: Whether the workload can have read other items meanwhile.
    func restoreSecret(_ items: [String: Secret], for workload: Workload) async throws(PortError) -> Bool

    /// Removes the workload's secret if it is of this owner's generation or an older one, and leaves a tombstone, so
    /// that a late write of the same owner fails.
    func deleteSecret(for workload: Workload) async throws(PortError)

    /// Makes the workload run as specified, by compare-and-set; `superseded` when a newer generation is there.
    func register(_ workload: Workload) async throws(PortError) -> RegisteredWorkload

    /// What is missing for the workload to run as specified; `nil` when it would find room. Nothing is changed.
    func preview(_ workload: Workload) async throws(PortError) -> String?

    /// Makes the workload run as specified again, so that a registration of something else that is still on its way
    /// fails.
    func restore(_ workload: Workload) async throws(PortError) -> RegisteredWorkload

    /// Lets the registered version take the place of the one before, if it waits for that.
    ///
    /// - Returns: Whether it has; not while it is not healthy yet.
    /// - Throws: ``PortError/permanent(code:message:)`` when the scheduler has given up on it.
    func promote(_ registered: RegisteredWorkload) async throws(PortError) -> Bool

    /// Stops the workload by compare-and-set and leaves a tombstone, so that a late registration of the same owner fails.
    func stop(_ workload: Workload) async throws(PortError)

    /// Takes away what is left of a stopped workload of this owner's generation or an older one: its name, and its secret.
    func purge(_ workload: Workload) async throws(PortError)

    /// Whether nothing of it runs any more; what was stopped may take a while to end.
    func isAtRest(_ workload: Workload) async throws(PortError) -> Bool

    /// What the scheduler has under this name.
    func probe(_ workload: Workload) async throws(PortError) -> Presence<RegisteredWorkload>

    /// How the registered version is doing; waits up to `wait` for it to change from "not yet".
    func health(of registered: RegisteredWorkload, wait: Duration) async throws(PortError) -> WorkloadHealth

    /// What came of a registered version that runs once.
    func end(of registered: RegisteredWorkload) async throws(PortError) -> WorkloadEnd

    /// Where what runs of a registered version can be reached from here, such as `http://10.0.0.5:23456`; `nil` while
    /// nothing of it runs.
    func address(of registered: RegisteredWorkload) async throws(PortError) -> String?

    /// What runs of the workload, and when it was last started: every restart changes that.
    func starts(of workload: Workload) async throws(PortError) -> [String: String]

    /// Starts anew, in place and as the same version, whatever runs of the workload since one of these starts.
    func restart(_ workload: Workload, startedAt starts: [String: String]) async throws(PortError)

    /// How what runs of the workload is doing now, whatever was once found out about its version.
    func condition(of workload: Workload) async throws(PortError) -> WorkloadHealth
}
