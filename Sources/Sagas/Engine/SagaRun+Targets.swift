internal import Domain
internal import EventStore
internal import Kernel
internal import Logging
internal import Metrics
internal import Platform

extension SagaRun {
    /// Asks whether the target of a step may be called; when not, the saga sleeps, and no attempt is used up.
    ///
    /// - Returns: `nil` when the step may begin, else whether the turn goes on.
    mutating func refused(_ step: SagaStep) async -> Bool? {
        let target = step.policy.target
        guard step.policy.isGoverned else { return nil }
        let admission: TargetAdmission
        do throws(LogError) {
            admission = try await engine.targets.admit(
                target,
                by: item.stream,
                atMost: step.policy.timeout,
                counted: !step.policy.watches
            )
        } catch {
            // Without the database nothing can be recorded either.
            admission = .refused(.full, wait: .seconds(1))
        }
        guard case .refused(let why, let wait) = admission else { return nil }
        TargetVitals.refusals(target, why).increment()
        scribe.resting[target] = now + wait
        guard why == .open, case .forward = state.mode else { return await commit { _ in SagaDraft() } }
        // Told once: whoever looks at the saga wants to know why nothing happens.
        return await commit { [scribe] state in
            let reason = "\(target) is left alone until it is well again"
            return scribe.succeeded(step.id, .waiting(condition: SagaState.targetAvailable, reason: reason), in: state)
                ?? SagaDraft()
        }
    }

    /// Tells the others how the target of a step is.
    ///
    /// Whoever has lost its lease says nothing: the place at the target is its successor's by now, or ends by itself.
    mutating func settle<Value>(_ step: SagaStep, _ outcome: Result<Value, PortError>?) async {
        guard step.policy.isGoverned, let outcome, await lease.ensure() else { return }
        await engine.targets.settle(step.policy.target, by: item.stream, Self.judge(outcome))
    }

    static func judge<Value>(_ outcome: Result<Value, PortError>) -> TargetOutcome {
        switch outcome {
        case .success: .answered
        // A broken off attempt says nothing about the target.
        case .failure where Task.isCancelled: .unknown
        // One instance that is not ready yet, or a rule of our own, is no reason to leave everybody's target alone.
        case .failure(.pending): .answered
        case .failure(.transient(let code, let message, let retryAfter)):
            .failed(error: "\(code): \(message)", retryAfter: retryAfter)
        case .failure(.unknown(let code, let message)): .failed(error: "\(code): \(message)", retryAfter: nil)
        case .failure: .answered
        }
    }
}

extension StepPolicy {
    /// Whether its calls go anywhere that could be unwell while the log is well.
    var isGoverned: Bool { !target.isEmpty && target != "log" }
}
