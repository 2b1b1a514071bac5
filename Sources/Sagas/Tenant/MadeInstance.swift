internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// An instance that was provisioned, as its streams say it is when a saga begins to change it.
struct MadeInstance: Fact {
    /// With the plan, the price and the release that it has now.
    var agreed: ProvisionInput
    /// How its database is entered.
    var login: InstanceEvent.CredentialsReserved
    /// What the generation began with, and what everything but the login is derived from.
    var first: InstanceEvent.CredentialsReserved
    var workload: InstanceEvent.WorkloadRegistered

    /// From the streams of the instance and its subscription, as they were when the cause was recorded.
    static func read(_ cause: RecordedEvent, _ log: any EventLog) async throws(SagaBeginError) -> Self {
        let agreed = try await ProvisionInput.read(cause, log)
        var workload: InstanceEvent.WorkloadRegistered?
        for event in try await ProvisionInput.history(cause.stream, log) where event.version <= cause.version {
            if case .workloadRegistered(let fact) = try ProvisionInput.decoded(InstanceEvent.self, event) {
                workload = fact
            }
        }
        guard let login = agreed.login, let first = agreed.first, let workload,
            workload.generation == agreed.generation
        else { throw .malformed("\(cause.stream) was never made") }
        return Self(agreed: agreed, login: login, first: first, workload: workload)
    }
}

extension ProvisioningPorts {
    /// What a made instance runs.
    func workload(_ made: MadeInstance, saga: UniqueID) throws(PortError) -> Workload {
        try workload(made.agreed, slot: made.agreed.serving, oauthClient: made.agreed.oauthClient, saga: saga)
    }
}
