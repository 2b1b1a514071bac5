internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// What a change of the release is decided on, fixed when it begins.
struct ReleaseInput: SagaInput {
    /// With the release that it has.
    var made: MadeInstance
    /// The one that is wanted.
    var release: ReleaseSnapshot

    /// With the release that is wanted, where the other one is.
    var changed: MadeInstance {
        var made = made
        made.agreed.release = release
        return made
    }

    /// With the release that is wanted, in the other slot.
    var standing: MadeInstance {
        var standing = changed
        standing.agreed.slot = SlotName.other(than: made.agreed.serving)
        return standing
    }

    var instance: InstanceID { made.agreed.instance }

    static func read(_ cause: RecordedEvent, _ log: any EventLog) async throws(SagaBeginError) -> Self {
        guard case .changeRequested(let asked) = try ProvisionInput.decoded(InstanceEvent.self, cause),
            let release = asked.release
        else { throw .malformed("\(cause.stream) \(cause.version) asks for no release") }
        return Self(made: try await MadeInstance.read(cause, log), release: release)
    }

    /// A slot of the instance, as events name it.
    func slot(_ made: MadeInstance) -> InstanceEvent.SlotMoved {
        InstanceEvent.SlotMoved(
            slot: made.agreed.serving,
            release: made.agreed.release.version,
            generation: made.agreed.generation
        )
    }
}

extension SagaDefinition {
    /// A saga that changes the release of an instance.
    ///
    /// - Parameters:
    ///   - kind: Stands in the log.
    ///   - version: Raised whenever the steps change.
    ///   - steps: The table.
    ///   - patience: How long it may take on the way forward.
    /// - Returns: The saga as the engine takes it.
    static func release(
        _ kind: String,
        version: Int,
        steps: [SagaStep],
        patience: Duration = .seconds(2 * 3600)
    ) -> SagaDefinition {
        SagaDefinition(
            kind: kind,
            version: version,
            steps: steps,
            begin: { (cause, log) throws(SagaBeginError) in
                let input = try await ReleaseInput.read(cause, log)
                return SagaBeginning(
                    subject: cause.stream,
                    lane: cause.stream.text,
                    organization: input.made.agreed.organization,
                    input: try input.json(),
                    patience: patience
                )
            },
            scope: { input in
                guard let input = try? ReleaseInput(input) else { return "release" }
                return "instance-\(input.instance)/\(input.release.version)"
            },
            failed: { failure, input in
                // Without a readable input no step can have begun, and the instance cannot be named.
                guard let input = try? ReleaseInput(input) else { return [] }
                let fact = InstanceEvent.ChangeRolledBack(change: InstanceChange.version, reason: failure.reason)
                return [.instance(input.instance, .rollBackChange(fact))]
            }
        )
    }
}
