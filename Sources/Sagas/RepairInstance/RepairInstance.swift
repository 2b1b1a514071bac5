internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Sets right one thing of an instance that is not as it should be, in the instance's lane and after everything else.
///
/// What it does depends on what was found; the other steps are passed over. It takes nothing back: what it makes is what
/// should be there anyway.
package struct RepairInstance: Sendable {
    let ports: ProvisioningPorts
    private let provisioning: ProvisionInstance

    package init(ports: ProvisioningPorts) {
        self.ports = ports
        self.provisioning = ProvisionInstance(ports: ports)
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "repair-instance"

    /// The saga as the engine takes it.
    package var definition: SagaDefinition {
        SagaDefinition(
            kind: Self.kind,
            version: 1,
            priority: 2,
            steps: steps,
            begin: { (cause, log) throws(SagaBeginError) in
                let input = try await ProvisionInput.read(cause, log)
                return SagaBeginning(
                    subject: cause.stream,
                    lane: cause.stream.text,
                    organization: input.organization,
                    input: try RepairInput.json(input, cause, try await Self.stage(cause, log))
                )
            },
            scope: { input in
                "instance-\(input["instance"]?.string ?? "")/g\(input["generation"]?.integer ?? 0)"
            },
            // The drift stays detected; when it is still there after a while, it is detected again.
            failed: { _, _ in [] }
        )
    }

    /// The table; each step is for some kinds of drift.
    var steps: [SagaStep] {
        let provisioning = provisioning
        let workload: Set<DriftKind> = [.jobGone, .jobDiffers]
        return [
            SagaStep("confirm", policy: .init(target: "tenant-postgres"), ensure: confirm),
            SagaStep("ensure-role", policy: .init(target: "tenant-postgres"), ensure: only([.roleDrift], ensureRole)),
            SagaStep("write-secret", policy: .init(target: "nomad"), ensure: only(workload, provisioning.writeSecret)),
            SagaStep(
                "register-workload",
                policy: .init(target: "nomad"),
                ensure: only(workload, provisioning.registerWorkload)
            ),
            SagaStep(
                "await-healthy",
                policy: .init(target: "nomad"),
                ensure: only(workload, provisioning.awaitHealthy)
            ),
            SagaStep("stop-orphan", policy: .init(target: "nomad"), ensure: only([.orphanJob], stopOrphan)),
            SagaStep(
                "put-database-aside",
                policy: .init(target: "tenant-postgres"),
                ensure: only([.orphanDatabase], putAside)
            ),
            SagaStep("drop-role", policy: .init(target: "tenant-postgres"), ensure: only([.orphanRole], dropRole)),
            SagaStep(
                "cancel-subscription",
                policy: .init(target: "billing"),
                ensure: only([.orphanSubscription], cancelSubscription)
            ),
            SagaStep("withdraw-route", policy: .init(target: "log"), ensure: only([.routeStale], withdrawRoute)),
        ]
    }

    private func only(_ kinds: Set<DriftKind>, _ ensure: @escaping SagaStep.Ensure) -> SagaStep.Ensure {
        { context throws(PortError) in
            let kind = try RepairInput(context.input).kind
            guard kinds.contains(kind) else { return .skipped(why: "nothing to do here for \(kind.rawValue)") }
            return try await ensure(context)
        }
    }

    /// Asks a person where only a person can decide; whoever resumes the saga has decided.
    func confirm(_ context: StepContext) async throws(PortError) -> StepResult {
        let repair = try RepairInput(context.input)
        if repair.drift.braked == true, context.attempt == 1 {
            let message = "too much would be taken away in one sweep: look at all of it, then resume"
            throw .blocked(code: "brake", message: message)
        }
        guard repair.kind == .databaseGone else { return .done }
        let database = ports.database(repair.input, saga: context.saga)
        guard case .present = try await ports.databases.probeDatabase(database) else {
            let message =
                "the database \(database.database) is gone; it is never made again, because it would be empty: "
                + "bring it back from a backup, then resume"
            throw .blocked(code: "database-gone", message: message)
        }
        return .done
    }

    func ensureRole(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try ProvisionInput(context.input)
        guard (input.login?.rotation ?? 1) < 2 else {
            let message = "the login was rotated; rotating the credentials again sets it right"
            throw .blocked(code: "rotated-login", message: message)
        }
        return try await provisioning.createRole(context)
    }

    func stopOrphan(_ context: StepContext) async throws(PortError) -> StepResult {
        let repair = try RepairInput(context.input)
        let input = repair.input
        var workload = ports.workload(input, slot: ProvisionInstance.slot, TenantEnvironment(), saga: context.saga)
        workload.job = repair.name
        workload.owner = repair.owner(ports, saga: context.saga)
        try await ports.scheduler.stop(workload)
        return .done
    }

    /// Nobody knows whether there is something in it that somebody wants.
    func putAside(_ context: StepContext) async throws(PortError) -> StepResult {
        let repair = try RepairInput(context.input)
        let renamed = "\(Names.quarantine)\(repair.name)_\((context.saga.value >> 80) / 1000)"
        try await ports.databases.quarantineDatabase(
            repair.database(ports, saga: context.saga),
            as: renamed,
            fence: context.fence
        )
        let outcome: JSONValue = ["renamed": .string(renamed)]
        // A living instance has another database, which the fact would be taken for.
        guard repair.isOver else { return .done(StepOutcome(output: outcome)) }
        let fact = InstanceEvent.DatabaseQuarantined(
            database: repair.name,
            renamed: renamed,
            until: context.now + ports.settings.quarantine
        )
        let facts = [DomainFact.instance(repair.input.instance, .recordDatabaseQuarantined(fact))]
        return .done(StepOutcome(output: outcome, facts: facts))
    }

    func dropRole(_ context: StepContext) async throws(PortError) -> StepResult {
        let repair = try RepairInput(context.input)
        var database = repair.database(ports, saga: context.saga)
        database.role = repair.name
        try await ports.databases.dropRole(database, fence: context.fence)
        return .done
    }

    func cancelSubscription(_ context: StepContext) async throws(PortError) -> StepResult {
        try await ports.billing.cancel(try RepairInput(context.input).name)
        return .done
    }

    func withdrawRoute(_ context: StepContext) async throws(PortError) -> StepResult {
        let repair = try RepairInput(context.input)
        let fact = InstanceEvent.RouteWithdrawn(router: repair.name, generation: repair.input.generation)
        return .done(StepOutcome(facts: [.instance(repair.input.instance, .withdrawRoute(fact))]))
    }

    /// Where the instance was in its life when the drift was detected.
    private static func stage(
        _ cause: RecordedEvent,
        _ log: any EventLog
    ) async throws(SagaBeginError) -> Instance.Stage {
        let events: [RecordedEvent]
        do throws(LogError) {
            events = try await log.readAll(cause.stream)
        } catch { throw .log(error) }
        var state = Instance()
        for event in events where event.version <= cause.version {
            guard let payload = event.payload else { continue }
            do {
                let fact = try InstanceEvent.decode(
                    type: event.type,
                    schemaVersion: event.schemaVersion,
                    payload: payload
                )
                if let fact { state.evolve(fact) }
            } catch { throw .malformed("\(event.stream) \(event.version) cannot be read as \(event.type)") }
        }
        return state.stage
    }
}
