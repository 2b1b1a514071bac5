internal import Platform
internal import Sagas

/// The protections that the design relies on, each of which can be switched off, to see that something notices.
package enum Mutant: String, CaseIterable, Sendable {
    /// Undoing whatever was begun, not only what is known to have happened.
    case intent
    /// A lease that every append, and every effect at the target, must hold.
    case fence
    /// The lock at the tenant cluster, which waits for what an earlier caller has under way.
    case settleLock
    /// Changes at the scheduler only to what was seen there.
    case compareAndSet
    /// What a stop leaves, so that a late registration fails.
    case tombstone
    /// By which billing recognises a repeated request.
    case idempotencyKey
    /// Secrets that are computed, not drawn and remembered.
    case derivation
    /// Activating and cancelling a draft, so that a late activation fails.
    case burn

    /// The definition without the protection, as far as it is in a definition.
    func applied(to definition: SagaDefinition) -> SagaDefinition {
        switch self {
        case .burn: definition.replacingUndo(of: "activate-subscription", by: nil)
        case .intent:
            definition.replacingUndos { undo in
                { context throws(PortError) in
                    guard context.outputs[context.step] != nil else { return .done }
                    return try await undo(context)
                }
            }
        case .fence, .settleLock, .compareAndSet, .tombstone, .idempotencyKey, .derivation: definition
        }
    }
}

extension SagaDefinition {
    fileprivate func replacingUndo(of id: String, by undo: SagaStep.EnsureAbsent?) -> SagaDefinition {
        replacingSteps { step in step.id == id ? step.with(undo: undo) : step }
    }

    fileprivate func replacingUndos(
        _ change: (@escaping SagaStep.EnsureAbsent) -> SagaStep.EnsureAbsent
    ) -> SagaDefinition {
        replacingSteps { step in step.with(undo: step.ensureAbsent.map(change)) }
    }
}
