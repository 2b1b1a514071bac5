internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Sagas

/// One saga to be put through every fault: the world it begins in, and what sets it off.
///
/// How it may end is not said here: whatever happened, an instance has all of what its stage promises, or nothing.
package struct SagaScenario: Sendable, CustomStringConvertible {
    /// What is tried, for people: the saga's kind, and what is special.
    package let name: String
    /// The saga whose steps are to fail.
    package let kind: String
    /// Brings about the world before, without faults.
    let prepare: (@Sendable (Simulation) async throws -> Void)?
    /// Records the event that starts it.
    let cause: @Sendable (Simulation) async throws -> Void

    package init(
        _ name: String,
        kind: String? = nil,
        prepare: (@Sendable (Simulation) async throws -> Void)? = nil,
        cause: @escaping @Sendable (Simulation) async throws -> Void = { _ in }
    ) {
        self.name = name
        self.kind = kind ?? name
        self.prepare = prepare
        self.cause = cause
    }

    package var description: String { name }

    /// A simulation in which the saga is about to be started.
    package func begin(without mutant: Mutant? = nil) async throws -> Simulation {
        let simulation = try await Simulation(without: mutant)
        simulation.world.invite()
        if let prepare {
            try await prepare(simulation)
            // The starter knows what has been.
            try await simulation.settle(SimulatedProcess())
        }
        try await cause(simulation)
        return simulation
    }
}

extension SagaScenario {
    /// Sagas that have no line here yet; tests of their own play them, with crashes at some points only.
    package static let untried: Set<String> = [
        TerminateInstance.kind, ReapDatabase.kind, EndSubscription.kind, DeleteOrganization.kind, RepairInstance.kind,
    ]

    /// One line for each saga, or for each way into it.
    package static let all: [SagaScenario] = [
        SagaScenario(ProvisionInstance.kind),
        SagaScenario(
            StopInstance.kind,
            prepare: { try await $0.provision() },
            cause: { try await $0.request(.requestStop(reason: "asked")) }
        ),
        SagaScenario(
            StartInstance.kind,
            prepare: { simulation in
                try await simulation.provision()
                try await simulation.ask(.requestStop(reason: "asked"))
            },
            cause: { try await $0.request(.requestStart(reason: "asked")) }
        ),
        SagaScenario(
            RotateCredentials.kind,
            prepare: { try await $0.provision() },
            cause: { simulation in
                let fact = InstanceEvent.ChangeRequested(change: InstanceChange.credentials, from: "1", to: "2")
                try await simulation.request(.requestChange(fact))
            }
        ),
        SagaScenario(
            ChangePlan.kind,
            prepare: { try await $0.provision() },
            cause: { try await $0.upgrade() }
        ),
        SagaScenario(
            DowngradePlan.kind,
            prepare: { try await $0.provision() },
            cause: { try await $0.downgrade() }
        ),
    ]
}
