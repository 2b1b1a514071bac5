internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Sets right one thing of an instance that is not as it should be, in the instance's lane and after everything else.
///
/// What it does depends on what was found; the other steps are passed over. It takes nothing back: what it makes is what
/// should be there anyway, and what it has begun to put aside it puts aside.
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
                    input: try RepairInput.json(input, cause)
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
                ensure: only([.orphanDatabase], putAside),
                ensureAbsent: finishPuttingAside
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
            let kind = try RepairInput(context.reading.json).kind
            guard kinds.contains(kind) else { return .skipped(why: "nothing to do here for \(kind.rawValue)") }
            var context = context
            if let confirmed = context.outputs["confirm"]?["input"] { context.reading = SagaReading(confirmed) }
            return try await ensure(context)
        }
    }

    /// Asks a person where only a person can decide, and whoever resumes the saga has decided; then takes the instance
    /// as it is by now: what is asked of it goes before its repairs, and changes what is right.
    func confirm(_ context: StepContext) async throws(PortError) -> StepResult {
        let repair = try RepairInput(context.reading.json)
        if repair.drift.braked == true, context.attempt == 1 {
            let message = "too much would be taken away in one sweep: look at all of it, then resume"
            throw .blocked(code: "brake", message: message)
        }
        let records = try ports.recorded()
        let now = try await ProvisionInput.now(repair.input.instance, records.log)
        let stage = try await records.instance(repair.input.instance).stage
        if let why = repair.isPointless(stage, now) { throw .superseded(message: why) }
        try await requireDatabase(repair, context)
        return .done(StepOutcome(output: ["input": try repair.renewed(now)]))
    }

    /// Asks a person for a database that is gone, and is content when it is back.
    private func requireDatabase(_ repair: RepairInput, _ context: StepContext) async throws(PortError) {
        guard repair.kind == .databaseGone else { return }
        let database = ports.database(repair.input, saga: context.saga)
        guard case .present = try await ports.databases.probeDatabase(database) else {
            let message =
                "the database \(database.database) is gone; it is never made again, because it would be empty: "
                + "bring it back from a backup, then resume"
            throw .blocked(code: "database-gone", message: message)
        }
    }

    /// The login that is in use, with the password of its rotation; those before it stay as they are, without any.
    func ensureRole(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let database = ports.database(input, saga: context.saga)
        let login = try provisioning.credentials(input, context)
        try await ports.databases.ensureLogin(
            ports.names.login(role: database.role, rotation: login.rotation),
            of: database,
            password: try ports.secret(.databasePassword, input, login),
            fence: context.fence
        )
        return .done
    }

    func stopOrphan(_ context: StepContext) async throws(PortError) -> StepResult {
        let repair = try RepairInput(context.reading.json)
        let input = repair.input
        var workload = ports.workload(input, slot: input.serving, TenantEnvironment(), saga: context.saga)
        workload.job = repair.name
        workload.owner = repair.owner(ports, saga: context.saga)
        try await ports.scheduler.stop(workload)
        return .done
    }

    /// Nobody knows whether there is something in it that somebody wants.
    func putAside(_ context: StepContext) async throws(PortError) -> StepResult {
        let repair = try RepairInput(context.reading.json)
        let renamed = Names.quarantined(repair.name, at: context.saga)
        try await ports.databases.quarantineDatabase(
            repair.database(ports, saga: context.saga),
            as: renamed,
            fence: context.fence
        )
        let outcome: JSONValue = ["renamed": .string(renamed)]
        let found = repair.database(ports, saga: context.saga)
        let fact = InstanceEvent.DatabaseQuarantined(
            database: repair.name,
            renamed: renamed,
            until: context.now + ports.settings.quarantine,
            orphan: .init(role: found.role, generation: found.owner.generation)
        )
        let facts = [DomainFact.instance(repair.input.instance, .recordDatabaseQuarantined(fact))]
        return .done(StepOutcome(output: outcome, facts: facts))
    }

    /// What may be out of everybody's sight already is told of, whoever cancels: or nobody would ever drop it.
    func finishPuttingAside(_ context: StepContext) async throws(PortError) -> UndoResult {
        guard try RepairInput(context.reading.json).kind == .orphanDatabase,
            case .done(let outcome) = try await putAside(context)
        else { return .done }
        return UndoResult(note: "it was put aside", facts: outcome.facts)
    }

    func dropRole(_ context: StepContext) async throws(PortError) -> StepResult {
        let repair = try RepairInput(context.reading.json)
        var database = repair.database(ports, saga: context.saga)
        database.role = repair.name
        try await ports.databases.dropRole(database, fence: context.fence)
        return .done
    }

    func cancelSubscription(_ context: StepContext) async throws(PortError) -> StepResult {
        try await ports.billing.cancel(try RepairInput(context.reading.json).name)
        return .done
    }

    func withdrawRoute(_ context: StepContext) async throws(PortError) -> StepResult {
        let repair = try RepairInput(context.reading.json)
        let fact = InstanceEvent.RouteWithdrawn(router: repair.name, generation: repair.input.generation)
        return .done(StepOutcome(facts: [.instance(repair.input.instance, .withdrawRoute(fact))]))
    }
}
