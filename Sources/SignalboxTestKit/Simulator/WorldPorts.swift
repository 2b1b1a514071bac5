package import Platform
internal import Sagas

/// The ports of one process to a world.
package struct WorldPorts: DatabaseProvisioner, WorkloadScheduler, Billing, Edge, OAuthClients, KeptSecrets {
    let world: World
    let process: SimulatedProcess
    /// For so long a call to billing can be on its way.
    let arrival: Duration
    /// The routers that the edge was told of no longer.
    let withdrawn: @Sendable () -> Set<String>

    var hasTombstones: Bool { world.mutant != .tombstone }
    var comparesAndSets: Bool { world.mutant != .compareAndSet }

    /// Asked at the last moment, as the adapters do.
    func requireLease() async throws(PortError) {
        if world.mutant != .fence { try await EffectLease.require() }
    }

    package var address: DatabaseAddress { DatabaseAddress(host: "10.0.0.5", port: 5432) }

    // MARK: Tenant Postgres

    package func ensureRole(_ database: TenantDatabase, password: Secret, fence: String) async throws(PortError) {
        try await world.call("ensureRole", by: process, lock: database.database) { state -> Result<Void, PortError> in
            if let found = state.roles[database.role], found.owner.instance != database.owner.instance {
                return .failure(.permanent(code: "42710", message: "the role is another's"))
            }
            state.roles[database.role] = (database.owner, password)
            return .success(())
        }
    }

    package func ensureDatabase(_ database: TenantDatabase, fence: String) async throws(PortError) {
        try await world.call("ensureDatabase", by: process, lock: database.database) {
            state -> Result<Void, PortError> in
            if let found = state.databases[database.database], found.instance != database.owner.instance {
                return .failure(.permanent(code: "42P04", message: "the database is another's"))
            }
            guard state.roles[database.role] != nil else {
                return .failure(.conflict(code: "42704", message: "the role is not there"))
            }
            state.databases[database.database] = database.owner
            return .success(())
        }
    }

    package func isolate(_ database: TenantDatabase, slot: String, fence: String) async throws(PortError) {
        try await world.call("isolate", by: process, lock: database.database) { state -> Result<Void, PortError> in
            guard state.databases[database.database] != nil else {
                return .failure(.conflict(code: "3D000", message: "the database is not there"))
            }
            state.isolated.insert(database.database)
            return .success(())
        }
    }

    package func probeRole(_ database: TenantDatabase) async throws(PortError) -> Presence<Bool> {
        try await world.call("probeRole", by: process) { state in
            guard let found = state.roles[database.role] else { return .success(.absent) }
            return .success(found.owner.instance == database.owner.instance ? .present(true) : .foreign("another's"))
        }
    }

    package func probeDatabase(_ database: TenantDatabase) async throws(PortError) -> Presence<Bool> {
        try await world.call("probeDatabase", by: process) { state in
            guard let found = state.databases[database.database] else { return .success(.absent) }
            return .success(found.instance == database.owner.instance ? .present(true) : .foreign("another's"))
        }
    }

    package func dropDatabase(_ database: TenantDatabase, fence: String) async throws(PortError) {
        try await world.call("dropDatabase", by: process, lock: database.database) { state -> Result<Void, PortError> in
            if state.databases[database.database]?.instance == database.owner.instance {
                state.databases[database.database] = nil
                state.isolated.remove(database.database)
            }
            state.quarantined.remove(database.database)
            return .success(())
        }
    }

    package func quarantineDatabase(
        _ database: TenantDatabase,
        as renamed: String,
        fence: String
    ) async throws(PortError) {
        try await world.call("quarantineDatabase", by: process, lock: database.database) {
            state -> Result<Void, PortError> in
            if state.databases[database.database]?.instance == database.owner.instance {
                state.databases[database.database] = nil
                state.quarantined.insert(renamed)
            }
            return .success(())
        }
    }

    package func dropRole(_ database: TenantDatabase, fence: String) async throws(PortError) {
        try await world.call("dropRole", by: process, lock: database.database) { state -> Result<Void, PortError> in
            guard state.databases[database.database]?.instance != database.owner.instance else {
                return .failure(.transient(code: "2BP01", message: "the role owns a database"))
            }
            for (name, role) in state.roles
            where (name == database.role || name.hasPrefix(database.role + "_r"))
                && role.owner.instance == database.owner.instance
            {
                state.roles[name] = nil
            }
            return .success(())
        }
    }

    // MARK: Nomad

    package func putSecret(_ items: [String: Secret], for workload: Workload) async throws(PortError) {
        let current = try await world.call("readSecret", by: process) { .success($0.secrets[workload.job]) }
        if let current {
            guard current.owner.generation <= workload.owner.generation else {
                throw .superseded(message: "a newer generation wrote it")
            }
            if hasTombstones, current.emptiedBy == workload.owner.saga {
                throw .superseded(message: "emptied by the same saga")
            }
        }
        let index = current?.index ?? 0
        try await requireLease()
        try await world.call("putSecret", by: process) { state -> Result<Void, PortError> in
            if comparesAndSets, (state.secrets[workload.job]?.index ?? 0) != index {
                return .failure(.conflict(code: "cas", message: "the variable has moved"))
            }
            state.index += 1
            state.secrets[workload.job] = World.Variable(owner: workload.owner, index: state.index, items: items)
            return .success(())
        }
    }

    package func deleteSecret(for workload: Workload) async throws(PortError) {
        try await requireLease()
        try await world.call("deleteSecret", by: process) { state -> Result<Void, PortError> in
            if let found = state.secrets[workload.job], found.owner.generation > workload.owner.generation {
                return .success(())
            }
            state.index += 1
            state.secrets[workload.job] =
                hasTombstones
                ? World.Variable(owner: workload.owner, index: state.index, emptiedBy: workload.owner.saga) : nil
            return .success(())
        }
    }

    package func register(_ workload: Workload) async throws(PortError) -> RegisteredWorkload {
        let secretful = workload
        let current = try await world.call("readJob", by: process) { .success($0.jobs[secretful.job]) }
        if let current {
            guard current.owner.instance == workload.owner.instance else {
                throw .permanent(code: "name-taken", message: "the job is another's")
            }
            if current.owner.generation > workload.owner.generation { throw .superseded(message: "newer") }
            if hasTombstones, current.isStopped, current.stoppedBy == workload.owner.saga {
                throw .superseded(message: "stopped by the same saga")
            }
            if !current.isStopped, Self.isSame(current, workload) { return registered(current, workload) }
        }
        let index = current?.index ?? 0
        try await requireLease()
        return try await world.call("register", by: process) { state in
            if comparesAndSets, (state.jobs[secretful.job]?.index ?? 0) != index {
                return .failure(.conflict(code: "cas", message: "Enforcing job modify index"))
            }
            state.index += 1
            var job = World.Job(
                owner: secretful.owner,
                index: state.index,
                version: (state.jobs[secretful.job]?.version ?? -1) + 1,
                isStopped: false,
                environment: secretful.environment
            )
            job.starts = state.jobs[secretful.job]?.starts ?? 0
            (job.memory, job.image) = (secretful.memory, secretful.image)
            job.start(reading: state.secrets[secretful.job]?.items)
            state.jobs[secretful.job] = job
            return .success(registered(job, secretful))
        }
    }

    package func stop(_ workload: Workload) async throws(PortError) {
        let current = try await world.call("readJob", by: process) { .success($0.jobs[workload.job]) }
        if let current {
            guard current.owner.instance == workload.owner.instance,
                current.owner.generation <= workload.owner.generation
            else { return }
            if current.isStopped, current.stoppedBy == workload.owner.saga { return }
        }
        let index = current?.index ?? 0
        try await requireLease()
        try await world.call("stop", by: process) { state -> Result<Void, PortError> in
            if !hasTombstones, state.jobs[workload.job] == nil { return .success(()) }
            if comparesAndSets, (state.jobs[workload.job]?.index ?? 0) != index {
                return .failure(.conflict(code: "cas", message: "Enforcing job modify index"))
            }
            if !hasTombstones {
                state.jobs[workload.job] = nil
                return .success(())
            }
            state.index += 1
            state.jobs[workload.job] = World.Job(
                owner: workload.owner,
                index: state.index,
                version: (state.jobs[workload.job]?.version ?? -1) + 1,
                isStopped: true,
                stoppedBy: workload.owner.saga,
                environment: [:]
            )
            return .success(())
        }
    }

    package func probe(_ workload: Workload) async throws(PortError) -> Presence<RegisteredWorkload> {
        let current = try await world.call("probeJob", by: process) { .success($0.jobs[workload.job]) }
        guard let current else { return .absent }
        guard current.owner.instance == workload.owner.instance else { return .foreign("another's") }
        if current.owner.generation > workload.owner.generation { return .newer }
        return current.isStopped || !Self.isSame(current, workload) ? .absent : .present(registered(current, workload))
    }

    package func health(of registered: RegisteredWorkload, wait: Duration) async throws(PortError) -> WorkloadHealth {
        try await world.call("health", by: process) { state in
            guard state.health.count > 1 else { return .success(state.health.first ?? .healthy) }
            return .success(state.health.removeFirst())
        }
    }

    package func purge(_ workload: Workload) async throws(PortError) {
        try await requireLease()
        try await world.call("purge", by: process) { state -> Result<Void, PortError> in
            if let found = state.jobs[workload.job], found.owner.generation <= workload.owner.generation {
                guard found.isStopped else { return .failure(.conflict(code: "running", message: "it runs")) }
                state.jobs[workload.job] = nil
            }
            state.secrets[workload.job] = nil
            return .success(())
        }
    }

    package func isAtRest(_ workload: Workload) async throws(PortError) -> Bool {
        try await world.call("isAtRest", by: process) { .success($0.jobs[workload.job]?.isStopped ?? true) }
    }

    /// Who registered it does not matter, only whose it is and what it says.
    static func isSame(_ job: World.Job, _ workload: Workload) -> Bool {
        job.owner.generation == workload.owner.generation && job.environment == workload.environment
            && job.memory == workload.memory && job.image == workload.image
    }

    func registered(_ job: World.Job, _ workload: Workload) -> RegisteredWorkload {
        RegisteredWorkload(job: workload.job, version: job.version, modifyIndex: job.index, specHash: "5bec")
    }

    // MARK: Billing

    package func ensureCustomer(email: String, name: String, key: String) async throws(PortError) -> String {
        let keyed = world.mutant != .idempotencyKey
        return try await world.call("ensureCustomer", by: process) { state in
            if !keyed || !state.customers.contains(key) { state.customers.append(key) }
            return .success("cus-\(state.customers.count)")
        }
    }

    package func ensureDraft(
        customer: String,
        price: BillingPrice,
        key: String
    ) async throws(PortError) -> BillingSubscription {
        let keyed = world.mutant != .idempotencyKey
        return try await world.call("ensureDraft", by: process) { state in
            if keyed, let found = state.subscriptions.first(where: { $0.key == key }) {
                return .success(BillingSubscription(id: found.id, status: found.status))
            }
            let id = "sub-\(state.subscriptions.count + 1)"
            state.subscriptions.append(World.Subscription(id: id, key: key, status: .draft, price: price.code))
            return .success(BillingSubscription(id: id, status: .draft))
        }
    }

    package func subscription(_ id: String) async throws(PortError) -> BillingSubscription {
        try await world.call("subscription", by: process) { state in
            guard let found = state.subscriptions.first(where: { $0.id == id }) else {
                return .failure(.permanent(code: "not_found", message: "no such subscription"))
            }
            return .success(BillingSubscription(id: id, status: found.status))
        }
    }

    package func activate(_ id: String) async throws(PortError) {
        try await requireLease()
        try await world.call("activate", by: process) { state in
            Self.move(id, to: .active, from: [.draft, .paused], &state)
        }
    }

    package func pause(_ id: String, key: String) async throws(PortError) {
        try await transition("pause", id, key, to: .paused, from: .active)
    }

    package func resume(_ id: String, key: String) async throws(PortError) {
        try await transition("resume", id, key, to: .active, from: .paused)
    }

    /// Billing has no compare-and-set: what is on its way comes in some time, but it does come in.
    private func transition(
        _ name: String,
        _ id: String,
        _ key: String,
        to status: BillingStatus,
        from: BillingStatus
    ) async throws(PortError) {
        let keyed = world.mutant != .idempotencyKey
        try await requireLease()
        try await world.call(name, by: process, arrivingWithin: arrival) { state in
            guard !keyed || state.transitions.insert(key).inserted else { return .success(()) }
            return Self.move(id, to: status, from: [from], &state)
        }
    }

    package func cancel(_ id: String) async throws(PortError) {
        try await requireLease()
        try await world.call("cancel", by: process) { state in
            Self.move(id, to: .cancelled, from: [.active, .paused], &state)
        }
    }

    private static func move(
        _ id: String,
        to status: BillingStatus,
        from: [BillingStatus],
        _ state: inout World.State
    ) -> Result<Void, PortError> {
        guard let index = state.subscriptions.firstIndex(where: { $0.id == id }) else {
            return .failure(.permanent(code: "not_found", message: "no such subscription"))
        }
        let found = state.subscriptions[index].status
        if found == status { return .success(()) }
        guard from.contains(found) else {
            return .failure(.conflict(code: "invalid_transition", message: "\(found.rawValue) to \(status.rawValue)"))
        }
        state.subscriptions[index].status = status
        if found == .draft { state.subscriptions[index].activations += 1 }
        return .success(())
    }

    // MARK: Edge and identity

    package func problem(router: String, host: String) async throws(PortError) -> String? {
        let withdrawn = withdrawn
        return try await world.call("problem", by: process) { state in
            guard state.routeProblems.isEmpty else { return .success(state.routeProblems.removeFirst()) }
            return .success(withdrawn().contains(router) ? "no such router" : nil)
        }
    }

    package func ensure(organization: String, redirect: String) async throws(PortError) -> OAuthClient {
        try await world.call("ensureClient", by: process) { state in
            .success(OAuthClient(id: "client-\(organization)", secret: Secret("oauth-\(state.rotations)")))
        }
    }

    package func rotateSecret(organization: String) async throws(PortError) {
        try await world.call("rotateSecret", by: process) { state -> Result<Void, PortError> in
            state.rotations += 1
            return .success(())
        }
    }

    package func keep(_ secret: Secret, as name: String) async throws(PortError) {
        try await world.call("keepSecret", by: process) { state -> Result<Void, PortError> in
            state.kept[name] = secret
            return .success(())
        }
    }

    package func secret(named name: String) async throws(PortError) -> Secret? {
        try await world.call("keptSecret", by: process) { .success($0.kept[name]) }
    }
}
