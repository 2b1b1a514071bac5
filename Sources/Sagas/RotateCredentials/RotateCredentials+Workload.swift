internal import Domain
internal import Kernel
internal import Platform

extension RotateCredentials {
    /// What is ill already is not made to start anew: nobody could tell then what made it so.
    func checkWorkload(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(RotationInput.self)
        return try await healthy(input, context) ?? .done
    }

    /// Tells the workload of the next login; it reads the secret when it starts.
    func updateSecret(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(RotationInput.self)
        let workload = try ports.workload(input.made, saga: context.saga)
        try await ports.scheduler.putSecret(try await items(input.next, input, workload), for: workload)
        return .done
    }

    /// Names what runs by now, so that the next undo can tell when all of it has read the old login again.
    func restoreSecret(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try context.decoded(RotationInput.self)
        let workload = try ports.workload(input.made, saga: context.saga)
        let items = try await items(input.made.login, input, workload)
        guard try await ports.scheduler.restoreSecret(items, for: workload) else { return .done }
        do throws(PortError) {
            return UndoResult(note: Self.text(try await ports.scheduler.starts(of: workload)))
        } catch {
            // What does not run reads the secret when it does.
            guard case .conflict = error else { throw error }
            return .done
        }
    }

    /// Waits until nothing runs any more that may have been started with the next login.
    func awaitOldLogin(_ context: StepContext) async throws(PortError) -> UndoResult {
        guard let note = context.notes["update-secret"], let known = Self.starts(note), !known.isEmpty else {
            return .done
        }
        let workload = try ports.workload(try context.decoded(RotationInput.self).made, saga: context.saga)
        let left: [String: String]
        do throws(PortError) {
            left = try await remaining(known, workload)
        } catch {
            guard case .conflict = error else { throw error }
            return .done
        }
        guard !left.isEmpty else { return .done }
        // The scheduler starts it anew by itself when the secret changed; not when it never read the change.
        if context.attempt > 3 { try await ports.scheduler.restart(workload, startedAt: left) }
        throw .pending(code: "not-restarted", message: "\(left.count) allocations still run with the next login")
    }

    /// What runs right after the secret was changed: whatever is started later has read it.
    func observeTasks(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(RotationInput.self)
        let workload = try ports.workload(input.made, saga: context.saga)
        let starts = try await ports.scheduler.starts(of: workload)
        return .done(StepOutcome(output: ["starts": .object(starts.mapValues { .string($0) })]))
    }

    /// Waits for the scheduler to start everything anew, and asks for it when that takes too long.
    func restartTasks(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(RotationInput.self)
        let workload = try ports.workload(input.made, saga: context.saga)
        let known = (context.outputs["observe-tasks"]?["starts"]?.object ?? [:]).compactMapValues(\.string)
        let left = try await remaining(known, workload)
        guard !left.isEmpty else { return .done }
        guard context.elapsed <= ports.settings.healthPatience else {
            throw .permanent(code: "not-restarted", message: "\(left.count) allocations were not started anew in time")
        }
        guard context.elapsed > ports.settings.restartPatience else {
            return .waiting(condition: "Restarted", reason: "\(left.count) allocations still run with the old login")
        }
        try await ports.scheduler.restart(workload, startedAt: left)
        throw .pending(
            code: "not-restarted",
            message: "\(left.count) allocations were told to start anew",
            retryAfter: .seconds(2)
        )
    }

    /// Healthy is not enough: only a login that is used has been understood.
    func awaitHealthy(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(RotationInput.self)
        if let unhealthy = try await healthy(input, context) { return unhealthy }
        let database = ports.database(input.made.agreed, saga: context.saga)
        if try await ports.databases.isInUse(login(input.next, of: database), of: database) { return .done }
        guard context.elapsed <= ports.settings.healthPatience else {
            throw .permanent(code: "login-unused", message: "the workload does not use the next login")
        }
        return .waiting(condition: "LoginUsed", reason: "nobody has logged in with the next login yet")
    }

    /// What to do while the workload is not healthy; `nil` when it is.
    private func healthy(_ input: RotationInput, _ context: StepContext) async throws(PortError) -> StepResult? {
        let workload = try ports.workload(input.made, saga: context.saga)
        switch try await ports.scheduler.condition(of: workload) {
        case .healthy: return nil
        case .deploying(let reason), .waitingForCapacity(let reason):
            guard context.elapsed <= ports.settings.healthPatience else {
                throw .permanent(code: "not-healthy", message: "not healthy in time: \(reason)")
            }
            return .waiting(condition: "Healthy", reason: reason)
        case .failed(let reason): throw .permanent(code: "workload-failed", message: reason)
        }
    }

    private func items(
        _ login: InstanceEvent.CredentialsReserved,
        _ input: RotationInput,
        _ workload: Workload
    ) async throws(PortError) -> [String: Secret] {
        try await ports.items(of: workload, input.made.agreed, login: login, first: input.made.first)
    }

    /// Which of these starts were not followed by another.
    private func remaining(
        _ known: [String: String],
        _ workload: Workload
    ) async throws(PortError) -> [String: String] {
        let now = try await ports.scheduler.starts(of: workload)
        return known.filter { now[$0.key] == $0.value }
    }

    private static func text(_ starts: [String: String]) -> String? {
        // Texts are always JSON.
        (try? JSON.encode(starts)).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func starts(_ text: String) -> [String: String]? {
        try? JSON.decode([String: String].self, from: text.utf8)
    }
}
