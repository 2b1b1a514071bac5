internal import Commands
internal import Domain
internal import Kernel
internal import Platform

extension RegisteredWorkload {
    /// What a step that registered it leaves for the later ones.
    var output: JSONValue {
        [
            "job": .string(job), "version": .integer(Int64(version)), "modifyIndex": .integer(modifyIndex),
            "specHash": .string(specHash),
        ]
    }
}

extension StepContext {
    /// Exactly the version that an earlier step registered.
    func registered(by step: String) throws(PortError) -> RegisteredWorkload {
        RegisteredWorkload(
            job: try text("job", of: step),
            version: Int(try number("version", of: step)),
            modifyIndex: try number("modifyIndex", of: step),
            specHash: try text("specHash", of: step)
        )
    }
}

extension ProvisioningPorts {
    /// What an undo leaves that waits until a version is well again.
    ///
    /// - Parameters:
    ///   - registered: The version.
    ///   - instance: Whose workload it is.
    ///   - wait: How long the scheduler may be watched.
    /// - Returns: That the instance is healthy.
    /// - Throws: `pending` as long as it is not; `permanent` when the scheduler has given up.
    func healthyAgain(
        _ registered: RegisteredWorkload,
        of instance: InstanceID,
        wait: Duration
    ) async throws(PortError) -> UndoResult {
        switch try await scheduler.health(of: registered, wait: wait) {
        case .healthy:
            let fact = InstanceEvent.BecameHealthy(job: registered.job, jobVersion: registered.version)
            return UndoResult(facts: [.instance(instance, .recordHealthy(fact))])
        case .deploying(let reason), .waitingForCapacity(let reason):
            throw .pending(code: "not-healthy", message: reason)
        case .failed(let reason): throw .permanent(code: "workload-failed", message: reason)
        }
    }
}
