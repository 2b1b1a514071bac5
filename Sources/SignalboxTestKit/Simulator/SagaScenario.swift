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
    /// What it means for it that the organization is deleted.
    let deletion: Simulation.Deletion
    /// Whether the reconciler looks at the end, too: what a repair did not get done is found again.
    let isReconciled: Bool
    /// Brings about the world before, without faults.
    let prepare: (@Sendable (Simulation) async throws -> Void)?
    /// Records the event that starts it.
    let cause: @Sendable (Simulation) async throws -> Void

    package init(
        _ name: String,
        kind: String? = nil,
        deletion: Simulation.Deletion = .cancels,
        isReconciled: Bool = false,
        prepare: (@Sendable (Simulation) async throws -> Void)? = nil,
        cause: @escaping @Sendable (Simulation) async throws -> Void = { _ in }
    ) {
        self.name = name
        self.kind = kind ?? name
        (self.deletion, self.isReconciled) = (deletion, isReconciled)
        self.prepare = prepare
        self.cause = cause
    }

    package var description: String { name }
    /// Whether the organization is deleted at the moment of a fault.
    var deletions: [Bool] { deletion == .isTheCause ? [false] : [false, true] }

    /// A simulation in which the saga is about to be started.
    package func begin(without mutant: Mutant? = nil) async throws -> Simulation {
        let simulation = try await Simulation(without: mutant, deletion: deletion, isReconciled: isReconciled)
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
