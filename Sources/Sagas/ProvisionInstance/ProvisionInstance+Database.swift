internal import Commands
internal import Domain
internal import Kernel
internal import Platform

extension ProvisionInstance {
    /// Says which secrets this generation has; they are derived from that, so nothing can get lost between steps.
    func reserveCredentials(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let reserved = InstanceEvent.CredentialsReserved(
            keyVersion: ports.derived.currentKeyVersion,
            rotation: 1,
            generation: input.generation
        )
        return .done(
            StepOutcome(
                output: ["keyVersion": .integer(Int64(reserved.keyVersion)), "rotation": 1],
                facts: [.instance(input.instance, .reserveCredentials(reserved))]
            )
        )
    }

    /// The login role with the derived password; setting it again sets the same one.
    func createRole(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let password = try ports.secret(.databasePassword, input, try credentials(input, context))
        try await ports.databases.ensureRole(database(input, context), password: password, fence: context.fence)
        return .done
    }

    /// Another's role is never touched; ours is set right all the same, because nobody can look at its password.
    func probeRole(_ context: StepContext) async throws(PortError) -> Presence<StepResult> {
        let input = try context.decoded(ProvisionInput.self)
        return try await ports.databases.probeRole(database(input, context)).refused(orMade: nil)
    }

    func dropRole(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try context.decoded(ProvisionInput.self)
        guard !mayHaveBeenUsed(context) else {
            return UndoResult(note: UndoResult.kept + "it owns the quarantined database")
        }
        try await ports.databases.dropRole(database(input, context), fence: context.fence)
        return .done
    }

    func createDatabase(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        try await ports.databases.ensureDatabase(database(input, context), fence: context.fence)
        return .done(provisioned(input, context))
    }

    func probeDatabase(_ context: StepContext) async throws(PortError) -> Presence<StepResult> {
        let input = try context.decoded(ProvisionInput.self)
        let result = StepResult.done(provisioned(input, context))
        return try await ports.databases.probeDatabase(database(input, context)).refused(orMade: result)
    }

    /// Drops it, unless somebody may have paid for what is in it: then it is put aside for a while.
    func dropDatabase(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try context.decoded(ProvisionInput.self)
        let database = database(input, context)
        guard mayHaveBeenUsed(context) else {
            try await ports.databases.dropDatabase(database, fence: context.fence)
            return .done
        }
        let renamed = Names.quarantined(database.database, at: context.saga)
        try await ports.databases.quarantineDatabase(database, as: renamed, fence: context.fence)
        let fact = InstanceEvent.DatabaseQuarantined(
            database: database.database,
            renamed: renamed,
            until: context.now + ports.settings.quarantine
        )
        return UndoResult(note: renamed, facts: [.instance(input.instance, .recordDatabaseQuarantined(fact))])
    }

    /// Nobody but the tenant's role may come near the database.
    func isolateDatabase(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let database = database(input, context)
        try await ports.databases.isolate(database, slot: SlotName.first, fence: context.fence)
        let applied = InstanceEvent.IsolationApplied(
            database: database.database,
            connectionLimit: database.connectionLimit
        )
        return .done(StepOutcome(facts: [.instance(input.instance, .recordIsolation(applied))]))
    }

    func database(_ input: ProvisionInput, _ context: StepContext) -> TenantDatabase {
        ports.database(input, saga: context.saga)
    }

    /// The credentials of this generation, as the first step reserved them.
    func credentials(
        _ input: ProvisionInput,
        _ context: StepContext
    ) throws(PortError) -> InstanceEvent.CredentialsReserved {
        if let login = input.login { return login }
        return InstanceEvent.CredentialsReserved(
            keyVersion: Int(try context.number("keyVersion", of: "reserve-credentials")),
            rotation: Int(try context.number("rotation", of: "reserve-credentials")),
            generation: input.generation
        )
    }

    private func provisioned(_ input: ProvisionInput, _ context: StepContext) -> StepOutcome {
        let database = database(input, context)
        let fact = InstanceEvent.DatabaseProvisioned(
            database: database.database,
            role: database.role,
            host: ports.databases.address.host,
            port: ports.databases.address.port,
            generation: input.generation
        )
        return StepOutcome(facts: [.instance(input.instance, .recordDatabase(fact))])
    }

    /// Whether the customer may have been active at billing, for however short a time.
    private func mayHaveBeenUsed(_ context: StepContext) -> Bool {
        context.begun.contains("activate-subscription")
            && context.notes["activate-subscription"] != Self.neverActive
    }
}

extension Presence<Bool> {
    /// What a probe of ours means for a step.
    ///
    /// - Parameter made: The step's result when it is there and usable; `nil` does the step all the same.
    /// - Returns: What the engine decides on.
    func refused(orMade made: StepResult?) -> Presence<StepResult> {
        switch self {
        case .absent: .absent
        case .present(false): .absent
        case .present(true): made.map { .present($0) } ?? .absent
        case .foreign(let message): .foreign(message)
        case .newer: .newer
        case .pending(let message): .pending(message)
        }
    }
}
