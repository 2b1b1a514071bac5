internal import Commands
internal import Domain
internal import Platform

extension RotateCredentials {
    /// The next login, beside the one that is in use.
    func createLogin(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(RotationInput.self)
        try await allow(input.next, input, context)
        return .done
    }

    func dropLogin(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try context.decoded(RotationInput.self)
        try await end(input.next, input, context)
        return .done
    }

    /// The point of no return: whoever knows the old password is out.
    func retireLogin(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(RotationInput.self)
        try await end(input.made.login, input, context)
        return .done
    }

    /// With the same password as before, because it is derived from the same numbers.
    func reviveLogin(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try context.decoded(RotationInput.self)
        try await allow(input.made.login, input, context)
        return .done
    }

    func recordRotation(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(RotationInput.self)
        let changed = InstanceEvent.Changed(
            change: InstanceChange.credentials,
            from: "\(input.made.login.rotation)",
            to: "\(input.next.rotation)"
        )
        let instance = input.made.agreed.instance
        return .done(
            StepOutcome(
                facts: [.instance(instance, .recordRotation(input.next)), .instance(instance, .recordChanged(changed))]
            )
        )
    }

    func login(_ credentials: InstanceEvent.CredentialsReserved, of database: TenantDatabase) -> String {
        ports.names.login(role: database.role, rotation: credentials.rotation)
    }

    private func allow(
        _ credentials: InstanceEvent.CredentialsReserved,
        _ input: RotationInput,
        _ context: StepContext
    ) async throws(PortError) {
        let database = ports.database(input.made.agreed, saga: context.saga)
        let password = try ports.secret(.databasePassword, input.made.agreed, credentials)
        try await ports.databases.ensureLogin(
            login(credentials, of: database),
            of: database,
            password: password,
            fence: context.fence
        )
    }

    private func end(
        _ credentials: InstanceEvent.CredentialsReserved,
        _ input: RotationInput,
        _ context: StepContext
    ) async throws(PortError) {
        let database = ports.database(input.made.agreed, saga: context.saga)
        try await ports.databases.retireLogin(
            login(credentials, of: database),
            of: database,
            fence: context.fence
        )
    }
}
