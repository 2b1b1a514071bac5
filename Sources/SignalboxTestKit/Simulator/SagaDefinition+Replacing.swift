internal import Sagas

extension SagaDefinition {
    /// The same saga with other steps.
    func replacingSteps(_ change: (SagaStep) -> SagaStep) -> SagaDefinition {
        SagaDefinition(
            kind: kind,
            version: version,
            priority: priority,
            steps: steps.map(change),
            begin: begin,
            scope: scope,
            failed: failed
        )
    }
}

extension SagaStep {
    /// The same step, taken back in another way; `nil` for not at all.
    func with(undo: EnsureAbsent?) -> SagaStep { with(ensure: ensure, undo: undo) }

    /// The same step, brought about and taken back in another way.
    func with(ensure: @escaping Ensure, undo: EnsureAbsent?) -> SagaStep {
        SagaStep(
            id,
            policy: policy,
            ensure: ensure,
            probe: probe,
            ensureAbsent: undo,
            undoAfter: undoAfter,
            resources: resources
        )
    }
}
