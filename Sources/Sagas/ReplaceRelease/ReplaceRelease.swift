internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Gives a running instance another release in the slot that it serves from: one version of its job after the other.
///
/// It needs no room for two, and lets the scheduler say how the one takes the place of the other; with a single
/// allocation that is not without a moment in which none serves.
package struct ReplaceRelease: Sendable {
    let ports: ProvisioningPorts
    private let migration: MigrationRun
    private let workload: WorkloadChange

    package init(ports: ProvisioningPorts) {
        self.ports = ports
        migration = MigrationRun(ports: ports) { input throws(PortError) in try input.decoded(ReleaseInput.self).changed
        }
        workload = WorkloadChange(ports: ports) { context throws(PortError) in
            let input = try context.decoded(ReleaseInput.self)
            return (input.made, input.changed)
        }
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "replace-release"

    /// The saga as the engine takes it.
    package var definition: SagaDefinition { .release(Self.kind, version: 1, steps: steps) }

    /// The table; the former specification is registered again before its health is waited for.
    var steps: [SagaStep] {
        let promotion = SagaStep("promote", policy: .init(target: "log", pivot: true), ensure: promote)
        return [workload.previewing] + migration.steps + workload.replacing + [promotion]
    }

    /// The point of no return: the release is the instance's.
    func promote(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ReleaseInput.self)
        let changed = InstanceEvent.Changed(
            change: InstanceChange.version,
            from: input.made.agreed.release.version,
            to: input.release.version,
            release: input.release
        )
        return .done(StepOutcome(facts: [.instance(input.instance, .recordChanged(changed))]))
    }
}
