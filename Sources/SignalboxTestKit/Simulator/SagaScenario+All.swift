internal import Commands
package import Domain
internal import EventStore
internal import Kernel
internal import Platform
internal import Sagas

extension SagaScenario {
    /// One line for each saga, or for each way into it.
    package static let all: [SagaScenario] =
        [
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
                "\(ChangePlan.kind) by changing the items",
                kind: ChangePlan.kind,
                prepare: { simulation in
                    try await simulation.provision()
                    simulation.world.change { $0.grantsItemChanges = true }
                },
                cause: { try await $0.upgrade() }
            ),
            SagaScenario(
                DowngradePlan.kind,
                prepare: { try await $0.provision() },
                cause: { try await $0.downgrade() }
            ),
            SagaScenario(
                ChangeRelease.kind,
                prepare: { try await $0.provision() },
                cause: { try await $0.request(.requestChange(.released("v1.7.0", .zeroDowntime))) }
            ),
            SagaScenario(
                ReplaceRelease.kind,
                prepare: { try await $0.provision() },
                cause: { try await $0.request(.requestChange(.released("v1.7.0", .rolling))) }
            ),
            SagaScenario(
                RollOut.kind,
                deletion: .follows,
                prepare: { try await $0.provision() },
                cause: { simulation in
                    let stream = Streams.rollout(simulation.clock.ids.identifier())
                    try await simulation.write(Rollout.self, stream, .start(.released("v1.7.0", bake: 1)))
                }
            ),
        ] + endings + repairs

    // MARK: Ends

    private static let endings: [SagaScenario] = [
        SagaScenario(
            TerminateInstance.kind,
            deletion: .follows,
            prepare: { try await $0.provision() },
            cause: { try await $0.request(.requestTermination(reason: "asked")) }
        ),
        SagaScenario(
            ReapDatabase.kind,
            deletion: .follows,
            prepare: { try await $0.provision() },
            cause: { simulation in
                try await simulation.request(.requestTermination(reason: "asked"))
                try await simulation.settle(until: InstanceEvent.Name.terminated.rawValue)
            }
        ),
        SagaScenario(
            "\(ReapDatabase.kind) of an instance that lives on",
            kind: ReapDatabase.kind,
            deletion: .follows,
            cause: { simulation in
                // Once it was billed, somebody may have data in it: it is put aside, and the next generation has another.
                try await simulation.settle(until: "activate")
                simulation.clock.advance(.seconds(60))
                try await simulation.operations().cancel(simulation.cause, mistake)
                try await simulation.settle(until: InstanceEvent.Name.provisioningFailed.rawValue)
                simulation.clock.advance(.seconds(60))
                try await simulation.request(.retry)
                try await simulation.settle(until: InstanceEvent.Name.running.rawValue)
            }
        ),
        SagaScenario(
            EndSubscription.kind,
            deletion: .follows,
            prepare: { try await $0.provision() },
            cause: { simulation in
                let end = simulation.clock.ids.now() + .seconds(20 * 24 * 3600)
                try await simulation.tell(.requestCancellation(effectiveAt: end))
            }
        ),
        SagaScenario(
            DeleteOrganization.kind,
            deletion: .isTheCause,
            prepare: { try await $0.provision() },
            cause: { try await $0.requestDeletion() }
        ),
    ]

    private static let mistake = SagaDeed(actor: "operator-1", reason: "a mistake")

    // MARK: Repairs

    private static let repairs: [SagaScenario] = [
        repair("a job that is gone") { state, simulation in
            state.jobs = state.jobs.filter { $0.value.owner.instance != "\(simulation.instance)" }
        },
        repair("a database that is gone, and comes back") { state, simulation in
            state.databases = state.databases.filter { $0.value.instance != "\(simulation.instance)" }
        },
        repair("a role that may not log in") { state, simulation in
            for (name, role) in state.roles where role.owner.instance == "\(simulation.instance)" {
                state.roles[name]?.password = World.noPassword
            }
        },
        orphan("subscription") { state, simulation in
            let key = Names().subscriptionKey(subscription: "\(simulation.subscription)", generation: 7)
            state.subscriptions.append(World.Subscription(id: "sub-left", key: key, status: .active))
        },
        orphan("job") { state, simulation in
            let owner = simulation.owner
            state.jobs["railzway-org-left"] = World.Job(
                owner: owner,
                index: 900,
                version: 0,
                isStopped: false,
                environment: [:]
            )
        },
        orphan("database") { state, simulation in
            let owner = simulation.owner
            let name = Names().database(organization: owner.organization, instance: "main", generation: 1)
            state.databases[name] = owner
        },
        orphan("role") { state, simulation in
            let owner = simulation.owner
            let name = Names().role(organization: owner.organization, instance: "main", generation: 1)
            state.roles[name] = (owner, Secret("left"))
        },
    ]

    /// Something of an instance that runs is not as it should be.
    private static func repair(
        _ name: String,
        _ damage: @escaping @Sendable (inout World.State, Simulation) -> Void
    ) -> SagaScenario {
        SagaScenario(
            "\(RepairInstance.kind): \(name)",
            kind: RepairInstance.kind,
            deletion: .follows,
            isReconciled: true,
            prepare: { try await $0.provision() },
            cause: { simulation in
                let before = simulation.world.read { $0.databases }
                simulation.world.change { damage(&$0, simulation) }
                try await simulation.sweep()
                // A database is never made again: by the time of the repair somebody has brought it back.
                simulation.world.change { $0.databases = before }
            }
        )
    }

    /// Something is left of a provisioning that failed.
    private static func orphan(
        _ name: String,
        _ leave: @escaping @Sendable (inout World.State, Simulation) -> Void
    ) -> SagaScenario {
        SagaScenario(
            "\(RepairInstance.kind): an orphaned \(name)",
            kind: RepairInstance.kind,
            deletion: .follows,
            isReconciled: true,
            prepare: { simulation in
                let refusal = PortError.permanent(code: "x", message: "crash loop")
                simulation.world.change { $0.refusals["health"] = [refusal] }
                try await simulation.provision()
            },
            cause: { simulation in
                simulation.world.change { leave(&$0, simulation) }
                try await simulation.sweep()
            }
        )
    }
}

extension Simulation {
    /// What is written on things of the instance.
    fileprivate var owner: Ownership {
        Ownership(organization: "\(organization)", instance: "\(instance)", generation: 1, saga: "\(cause)")
    }
}

extension RolloutEvent.Started {
    /// A release for everybody, in two waves.
    fileprivate static func released(_ version: String, bake: Int64) -> Self {
        Self(
            release: .made(version),
            minimumTier: .freeTrial,
            strategy: .rolling,
            waves: ["1", "100%"],
            bake: bake,
            tolerated: 1
        )
    }
}

extension ReleaseSnapshot {
    fileprivate static func made(_ version: String) -> Self {
        Self(application: "railzway", version: version, image: "ghcr.io/x/railzway:\(version)")
    }
}

extension InstanceEvent.ChangeRequested {
    /// Another version, as it is asked for.
    package static func released(_ version: String, _ strategy: ReleaseStrategy) -> Self {
        Self(
            change: InstanceChange.version,
            from: "v1.6.0",
            to: version,
            release: .made(version),
            strategy: strategy
        )
    }
}
