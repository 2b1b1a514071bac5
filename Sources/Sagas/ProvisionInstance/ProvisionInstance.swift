internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Gives a requested instance its database, its workload, its route and its bill.
///
/// Money is committed last: before the subscription is active everything can be taken back, afterwards failures are
/// waited out.
package struct ProvisionInstance: Sendable {
    let ports: ProvisioningPorts

    package init(ports: ProvisioningPorts) {
        self.ports = ports
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "provision-instance"

    /// The saga as the engine takes it.
    package var definition: SagaDefinition {
        SagaDefinition(
            kind: Self.kind,
            version: 1,
            steps: steps,
            begin: { (cause, log) throws(SagaBeginError) in
                let input = try await ProvisionInput.read(cause, log)
                return SagaBeginning(
                    subject: cause.stream,
                    lane: cause.stream.text,
                    organization: input.organization,
                    input: try input.json()
                )
            },
            scope: { input in
                "instance-\(input["instance"]?.string ?? "")/g\(input["generation"]?.integer ?? 0)"
            },
            failed: { failure, input in
                // Without a readable input no step can have begun, and the instance cannot be named.
                guard let input = try? ProvisionInput(input) else { return [] }
                let fact = InstanceEvent.ProvisioningFailed(
                    step: failure.step,
                    failure: failure.failure,
                    reason: failure.reason,
                    generation: input.generation
                )
                return [.instance(input.instance, .failProvisioning(fact))]
            }
        )
    }

    /// The table; an undo that has to come after another one names it.
    var steps: [SagaStep] {
        [
            SagaStep("reserve-credentials", policy: .init(target: "log"), ensure: reserveCredentials),
            SagaStep(
                "ensure-customer",
                policy: .init(target: "billing"),
                ensure: ensureCustomer,
                resources: resource(.customer, keeps: true)
            ),
            SagaStep(
                "draft-subscription",
                policy: .init(target: "billing"),
                ensure: draftSubscription,
                ensureAbsent: abandonDraft,
                undoAfter: ["activate-subscription"],
                resources: resource(.subscription, keeps: true)
            ),
            SagaStep(
                "create-role",
                policy: .init(target: "tenant-postgres"),
                ensure: createRole,
                probe: probeRole,
                ensureAbsent: dropRole,
                undoAfter: ["create-database"],
                resources: resource(.role)
            ),
            SagaStep(
                "create-database",
                policy: .init(target: "tenant-postgres", timeout: .seconds(60)),
                ensure: createDatabase,
                probe: probeDatabase,
                ensureAbsent: dropDatabase,
                undoAfter: ["register-workload", "activate-subscription"],
                resources: resource(.database)
            ),
            SagaStep("isolate-database", policy: .init(target: "tenant-postgres"), ensure: isolateDatabase),
            SagaStep(
                "ensure-oauth-client",
                policy: .init(target: "oauth"),
                ensure: ensureOAuthClient,
                ensureAbsent: rotateOAuthSecret,
                resources: resource(.oauthClient, keeps: true)
            ),
            SagaStep(
                "write-secret",
                policy: .init(target: "nomad"),
                ensure: writeSecret,
                ensureAbsent: deleteSecret,
                undoAfter: ["register-workload"],
                resources: resource(.variable)
            ),
            SagaStep(
                "register-workload",
                policy: .init(target: "nomad"),
                ensure: registerWorkload,
                probe: probeWorkload,
                ensureAbsent: stopWorkload,
                resources: resource(.job)
            ),
            SagaStep("await-healthy", policy: .init(target: "nomad", watches: true), ensure: awaitHealthy),
            SagaStep(
                "publish-route",
                policy: .init(target: "log", undoneFirst: true),
                ensure: publishRoute,
                ensureAbsent: withdrawRoute,
                resources: resource(.route)
            ),
            SagaStep("confirm-route", policy: .init(target: "edge", skippable: true), ensure: confirmRoute),
            SagaStep(
                "activate-subscription",
                policy: .init(target: "billing", pivot: true),
                ensure: activateSubscription,
                ensureAbsent: burnActivation,
                resources: resource(.subscription)
            ),
            SagaStep("mark-running", policy: .init(target: "log"), ensure: markRunning),
        ]
    }
}
