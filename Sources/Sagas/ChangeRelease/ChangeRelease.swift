internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Gives a running instance another release, without a moment in which none serves.
///
/// The wanted release is put into the other slot, where nobody comes; traffic goes over to it by weights, reads first, then
/// the scheduler's lease. Until it is promoted everything is taken back by weights and lease, never by the database: the
/// release before has not stopped, and migrations only add.
package struct ChangeRelease: Sendable {
    let ports: ProvisioningPorts
    private let migration: MigrationRun

    package init(ports: ProvisioningPorts) {
        self.ports = ports
        migration = MigrationRun(ports: ports) { input throws(PortError) in
            try input.decoded(ReleaseInput.self).standing
        }
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "change-release"

    /// The shares of the reads, one after the other, in percent.
    static let shares = [10, 50, 100]

    /// The saga as the engine takes it.
    package var definition: SagaDefinition { .release(Self.kind, version: 1, steps: steps) }

    /// The table; an undo that has to come after another one names it.
    var steps: [SagaStep] { preparing + migration.steps + warming + shifting + ending }

    private var preparing: [SagaStep] {
        [
            SagaStep("preview-capacity", policy: .init(target: "nomad"), ensure: previewCapacity),
            SagaStep(
                "write-secret",
                policy: .init(target: "nomad"),
                ensure: writeSecret,
                ensureAbsent: deleteSecret,
                undoAfter: ["deploy-slot"],
                resources: { [ports] input, _ in ports.intended(.variable, standing: input) }
            ),
            SagaStep(
                "deploy-slot",
                policy: .init(target: "nomad"),
                ensure: deploySlot,
                probe: probeSlot,
                ensureAbsent: stopSlot,
                // Nobody may be sent there any more, and nothing may work there.
                undoAfter: ["await-ready", "hand-over-lease", "migrate"],
                resources: { [ports] input, _ in ports.intended(.job, standing: input) }
            ),
        ]
    }

    private var warming: [SagaStep] {
        let nomad = StepPolicy(target: "nomad", poll: .milliseconds(500), watches: true)
        return [
            SagaStep("await-healthy", policy: nomad, ensure: awaitHealthy),
            SagaStep(
                "await-ready",
                policy: nomad,
                ensure: awaitReady,
                ensureAbsent: awaitTrafficBack,
                undoAfter: [Self.firstShift]
            ),
        ]
    }

    static let firstShift = "shift-reads-\(shares[0])"

    private var shifting: [SagaStep] {
        let edge = StepPolicy(target: "edge", poll: .milliseconds(200), longestPoll: .seconds(2), watches: true)
        let reads = Self.shares.flatMap { share in
            [
                SagaStep(
                    "shift-reads-\(share)",
                    policy: .init(target: "log", undoneFirst: true),
                    ensure: { context throws(PortError) in try shift(context, reads: share, writes: 0) },
                    // One of them gives all of it back.
                    ensureAbsent: share == Self.shares[0] ? shiftBack : nil
                ),
                SagaStep("confirm-reads-\(share)", policy: edge) { context throws(PortError) in
                    try await confirm(context, reads: share, writes: 0)
                },
            ]
        }
        return reads + [
            SagaStep("shift-writes", policy: .init(target: "log")) { context throws(PortError) in
                try shift(context, reads: 100, writes: 100)
            },
            SagaStep("confirm-writes", policy: edge) { context throws(PortError) in
                try await confirm(context, reads: 100, writes: 100)
            },
        ]
    }

    private var ending: [SagaStep] {
        [
            SagaStep(
                "hand-over-lease",
                policy: .init(target: "tenant-postgres"),
                ensure: handOverLease,
                ensureAbsent: takeLeaseBack
            ),
            SagaStep("drain", policy: .init(target: "nomad", poll: .milliseconds(500)), ensure: drain),
            SagaStep("promote", policy: .init(target: "log", pivot: true), ensure: promote),
            SagaStep(
                "retire-slot",
                policy: .init(target: "nomad"),
                ensure: retireSlot,
                resources: { [ports] input, _ in
                    guard let made = try? ReleaseInput(input).made else { return [] }
                    return ports.intended(.job, made, removes: true)
                }
            ),
        ]
    }
}

extension ProvisioningPorts {
    fileprivate func intended(_ kind: IntendedResource.Kind, standing input: JSONValue) -> [IntendedResource] {
        // Without a readable input no step can have an effect.
        (try? ReleaseInput(input).standing).map { intended(kind, $0) } ?? []
    }

    fileprivate func intended(
        _ kind: IntendedResource.Kind,
        _ made: MadeInstance,
        removes: Bool? = nil
    ) -> [IntendedResource] {
        let agreed = made.agreed
        return [
            IntendedResource(
                kind,
                names.job(organization: "\(agreed.organization)", instance: agreed.name, slot: agreed.serving),
                instance: "instance-\(agreed.instance)",
                generation: agreed.generation,
                removes: removes
            )
        ]
    }
}
