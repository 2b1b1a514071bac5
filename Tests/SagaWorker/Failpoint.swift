import Glibc
import Platform
import Sagas
import Synchronization

/// A place in a saga at which the process is struck, once.
final class Failpoint: Sendable {
    private let place: String
    private let signal: Int32
    private let isSpent = Atomic(false)

    init(place: String, signal: Int32) {
        self.place = place
        self.signal = signal
    }

    /// The same saga, with a place before and after everything that it does outside.
    func armed(_ definition: SagaDefinition) -> SagaDefinition {
        SagaDefinition(
            kind: definition.kind,
            version: definition.version,
            priority: definition.priority,
            steps: definition.steps.map(armed),
            begin: definition.begin,
            scope: definition.scope,
            failed: definition.failed
        )
    }

    private func armed(_ step: SagaStep) -> SagaStep {
        var undo: SagaStep.EnsureAbsent?
        if let ensureAbsent = step.ensureAbsent {
            undo = { [self] context throws(PortError) in
                reach("before undo of \(step.id)")
                let result = try await ensureAbsent(context)
                reach("after undo of \(step.id)")
                return result
            }
        }
        return SagaStep(
            step.id,
            policy: step.policy,
            ensure: { [self] context throws(PortError) in
                reach("before \(step.id)")
                let result = try await step.ensure(context)
                reach("after \(step.id)")
                return result
            },
            probe: step.probe,
            ensureAbsent: undo,
            undoAfter: step.undoAfter,
            resources: step.resources
        )
    }

    private func reach(_ place: String) {
        guard place == self.place, !isSpent.exchange(true, ordering: .sequentiallyConsistent) else { return }
        kill(getpid(), signal)
    }
}
