import Commands
import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit

@testable import Sagas

extension SagaScenario {
    /// At least one way into every saga, and into each of the different things that a repair does.
    static let universal: [SagaScenario] =
        all.filter { one in !others.contains { $0.name == one.name } } + others

    private static let others: [SagaScenario] =
        [
            SagaScenario(
                TerminateInstance.kind,
                prepare: { try await $0.provision() },
                cause: { try await $0.request(.requestTermination(reason: "asked")) }
            ),
            SagaScenario(
                "terminate-instance after a rotation",
                kind: TerminateInstance.kind,
                prepare: { try await $0.rotated() },
                cause: { try await $0.request(.requestTermination(reason: "asked")) }
            ),
            SagaScenario(
                ReapDatabase.kind,
                prepare: { try await $0.rotated() },
                cause: { try await $0.request(.requestTermination(reason: "asked")) }
            ),
            SagaScenario(
                EndSubscription.kind,
                prepare: { try await $0.provision() },
                cause: { simulation in
                    let end = simulation.clock.ids.now() + .seconds(20 * 24 * 3600)
                    try await simulation.tell(.requestCancellation(effectiveAt: end))
                }
            ),
            SagaScenario(
                DeleteOrganization.kind,
                prepare: { try await $0.provision() },
                cause: { simulation in
                    let stream = Streams.organization(simulation.organization)
                    _ = try await simulation.write(Organization.self, stream, .requestDeletion(reason: "asked"))
                }
            ),
            SagaScenario(
                "change-plan by changing items",
                kind: ChangePlan.kind,
                prepare: { simulation in
                    simulation.world.change { $0.grantsItemChanges = true }
                    try await simulation.provision()
                },
                cause: { try await $0.upgrade() }
            ),
        ] + repairs.map(repair)

    /// A drift, the thing that it is about, and how it comes about.
    private struct Harm: Sendable {
        var kind: DriftKind
        var name: String
        var harm: @Sendable (inout World.State, Ownership) -> Void

        init(
            _ kind: DriftKind,
            _ name: String,
            _ harm: @escaping @Sendable (inout World.State, Ownership) -> Void
        ) {
            (self.kind, self.name, self.harm) = (kind, name, harm)
        }

        var drift: InstanceEvent.Drift {
            .init(what: kind.rawValue, expected: "-", observed: "-", name: name, generation: 1)
        }
    }

    private static let repairs = [
        Harm(.jobGone, "railzway-org-42") { state, _ in state.jobs["railzway-org-42"] = nil },
        Harm(.roleDrift, "railzway_user_42_r2") { state, _ in state.roles["railzway_user_42_r2"] = nil },
        Harm(.orphanJob, "railzway-org-left") { state, owner in
            state.jobs["railzway-org-left"] = World.Job(
                owner: owner,
                index: 900,
                version: 0,
                isStopped: false,
                environment: [:]
            )
        },
        // Of the same generation, and so with the role of the one in use.
        Harm(.orphanDatabase, "railzway_org_42_left") { state, owner in
            state.databases["railzway_org_42_left"] = owner
        },
    ]

    /// What a scenario of a repair is about; `nil` for all others.
    static func drift(of scenario: SagaScenario) -> InstanceEvent.Drift? {
        repairs.first { name(of: $0) == scenario.name }?.drift
    }

    private static func name(of harm: Harm) -> String { "repair-instance: \(harm.kind.rawValue)" }

    /// A repair of one drift of an instance whose credentials were rotated.
    private static func repair(_ harm: Harm) -> SagaScenario {
        SagaScenario(
            name(of: harm),
            kind: RepairInstance.kind,
            prepare: { simulation in
                try await simulation.rotated()
                simulation.world.change { state in
                    guard let owner = state.databases["railzway_org_42"] else { return }
                    harm.harm(&state, owner)
                }
            },
            cause: { simulation in try await simulation.detect(harm.drift) }
        )
    }
}

extension Simulation {
    /// A running instance that has its second login.
    fileprivate func rotated() async throws {
        try await provision()
        try await ask(.requestChange(.init(change: InstanceChange.credentials, from: "1", to: "2")))
    }

    /// Records a drift as a sweep does.
    func detect(_ drift: InstanceEvent.Drift) async throws {
        let stream = Streams.instance(instance)
        let event = InstanceEvent.driftDetected(drift)
        let new = NewEvent(
            id: clock.ids.unique(),
            type: event.name.rawValue,
            schemaVersion: event.schemaVersion,
            payload: try event.payload()
        )
        let version = try await log.readAll(stream).last?.version ?? 0
        let write = StreamWrite(stream, organization: organization, expecting: .version(version), events: [new])
        let causation = Causation(actor: "system", command: clock.ids.unique())
        _ = try await log.append(AppendRequest(causation: causation, writes: [write]))
    }
}
