internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Gives a running instance another login to its database, without a moment in which none works.
///
/// Two logins exist for a while: the next one is made before the workload is told of it, and the one before works until
/// the workload has been seen using the next.
package struct RotateCredentials: Sendable {
    let ports: ProvisioningPorts

    package init(ports: ProvisioningPorts) {
        self.ports = ports
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "rotate-credentials"

    /// The saga as the engine takes it.
    package var definition: SagaDefinition {
        SagaDefinition(
            kind: Self.kind,
            version: 1,
            steps: steps,
            begin: { [ports] (cause, log) throws(SagaBeginError) in
                let made = try await MadeInstance.read(cause, log)
                let input = RotationInput(made: made, keyVersion: ports.derived.currentKeyVersion)
                return SagaBeginning(
                    subject: cause.stream,
                    lane: cause.stream.text,
                    organization: made.agreed.organization,
                    input: try input.json()
                )
            },
            scope: { input in
                guard let input = try? RotationInput(input) else { return "rotation" }
                return "instance-\(input.made.agreed.instance)/r\(input.next.rotation)"
            },
            failed: { failure, input in
                // Without a readable input no step can have begun, and the instance cannot be named.
                guard let input = try? RotationInput(input) else { return [] }
                let fact = InstanceEvent.ChangeRolledBack(change: InstanceChange.credentials, reason: failure.reason)
                return [.instance(input.made.agreed.instance, .rollBackChange(fact))]
            }
        )
    }

    /// The table; an undo that has to come after another one names it.
    var steps: [SagaStep] {
        let nomad = StepPolicy(target: "nomad", poll: .seconds(1))
        return [
            SagaStep(
                "create-login",
                policy: .init(target: "tenant-postgres"),
                ensure: createLogin,
                ensureAbsent: dropLogin,
                undoAfter: ["check-workload", "update-secret"],
                resources: { [ports] input, _ in
                    // Without a readable input no step can have an effect.
                    (try? RotationInput(input)).map { [ports.intended($0.next, $0.made, removes: nil)] } ?? []
                }
            ),
            SagaStep(
                "check-workload",
                policy: nomad,
                ensure: checkWorkload,
                ensureAbsent: awaitOldLogin,
                undoAfter: ["update-secret"]
            ),
            SagaStep(
                "update-secret",
                policy: .init(target: "nomad"),
                ensure: updateSecret,
                ensureAbsent: restoreSecret,
                undoAfter: ["retire-login"]
            ),
            SagaStep("observe-tasks", policy: .init(target: "nomad"), ensure: observeTasks),
            SagaStep("restart-tasks", policy: nomad, ensure: restartTasks),
            SagaStep("await-healthy", policy: nomad, ensure: awaitHealthy),
            SagaStep(
                "retire-login",
                policy: .init(target: "tenant-postgres", pivot: true),
                ensure: retireLogin,
                ensureAbsent: reviveLogin,
                resources: { [ports] input, _ in
                    // The first one stays as the owner.
                    guard let input = try? RotationInput(input), input.made.login.rotation > 1 else { return [] }
                    return [ports.intended(input.made.login, input.made, removes: true)]
                }
            ),
            SagaStep("record-rotation", policy: .init(target: "log"), ensure: recordRotation),
        ]
    }
}

extension ProvisioningPorts {
    /// The login of some credentials, as the ledger names it.
    func intended(
        _ credentials: InstanceEvent.CredentialsReserved,
        _ made: MadeInstance,
        removes: Bool?
    ) -> IntendedResource {
        let agreed = made.agreed
        let role = names.role(
            organization: "\(agreed.organization)",
            instance: agreed.name,
            generation: agreed.generation
        )
        return IntendedResource(
            .role,
            names.login(role: role, rotation: credentials.rotation),
            instance: "instance-\(agreed.instance)",
            generation: agreed.generation,
            removes: removes
        )
    }
}

/// What a rotation is decided on, fixed when it begins.
struct RotationInput: SagaInput {
    var made: MadeInstance
    /// The credentials to come.
    var next: InstanceEvent.CredentialsReserved

    init(made: MadeInstance, keyVersion: Int) {
        self.made = made
        self.next = InstanceEvent.CredentialsReserved(
            keyVersion: keyVersion,
            rotation: made.login.rotation + 1,
            generation: made.login.generation
        )
    }
}
