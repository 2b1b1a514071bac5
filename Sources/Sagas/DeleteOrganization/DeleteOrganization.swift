internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Ends an organization: all of its instances, its keys, and what is personal in it.
///
/// There is no way back from the first step on. What is kept aside of the instances is dropped later, by sagas of its own.
package struct DeleteOrganization: Sendable {
    let ports: ProvisioningPorts

    package init(ports: ProvisioningPorts) {
        self.ports = ports
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "delete-organization"

    /// What it works with.
    struct Input: SagaInput {
        var organization: OrganizationID
        var reason: String
    }

    /// The saga as the engine takes it.
    package var definition: SagaDefinition {
        SagaDefinition(
            kind: Self.kind,
            version: 1,
            steps: steps,
            begin: { (cause, log) throws(SagaBeginError) in
                let input = try Self.read(cause)
                return SagaBeginning(
                    subject: cause.stream,
                    lane: cause.stream.text,
                    organization: input.organization,
                    input: try input.json()
                )
            },
            scope: { "organization-\($0["organization"]?.string ?? "")" },
            failed: { _, _ in [] }
        )
    }

    /// The table.
    var steps: [SagaStep] {
        [
            SagaStep(
                "request-terminations",
                policy: .init(target: "log", pivot: true, irrevocable: true),
                ensure: requestTerminations
            ),
            SagaStep("await-terminations", policy: .children, ensure: awaitTerminations),
            SagaStep("revoke-keys", policy: .init(target: "log"), ensure: revokeKeys),
            SagaStep("erase-personal-data", policy: .init(target: "log"), ensure: erasePersonalData),
            SagaStep("mark-deleted", policy: .init(target: "log"), ensure: markDeleted),
        ]
    }

    /// Every instance's own saga ends it; nobody can ask for a new one any more.
    func requestTerminations(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        let instances = try await ports.recorded().instances(of: input.organization)
        let command = Instance.Command.requestTermination(reason: "the organization is deleted: \(input.reason)")
        return .done(
            StepOutcome(
                output: ["instances": .array(instances.map { .string("\($0)") })],
                facts: instances.map { .instance($0, command) }
            )
        )
    }

    func awaitTerminations(_ context: StepContext) async throws(PortError) -> StepResult {
        let known = context.outputs["request-terminations"]?["instances"]?.array ?? []
        return try await ports.recorded().ends(of: known.compactMap { $0.string.flatMap { InstanceID($0) } })
    }

    func revokeKeys(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        return .done(StepOutcome(facts: [.organization(input.organization, .revokeAllKeys)]))
    }

    /// Destroys the key that everything personal of the organization was sealed with.
    func erasePersonalData(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        guard let personal = ports.personal else {
            throw .blocked(code: "no-erasures", message: "this process cannot erase anything")
        }
        let subject = Streams.organization(input.organization).text
        try await personal.erase(subject: subject, reason: "the organization is deleted")
        return .done(StepOutcome(facts: [.organization(input.organization, .markPersonalDataErased)]))
    }

    func markDeleted(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        return .done(StepOutcome(facts: [.organization(input.organization, .markDeleted)]))
    }

    private static func read(_ cause: RecordedEvent) throws(SagaBeginError) -> Input {
        guard let id = OrganizationID(cause.stream.id),
            case .deletionRequested(let fact) = try ProvisionInput.decoded(OrganizationEvent.self, cause)
        else { throw .malformed("\(cause.stream) is no organization that is to be deleted") }
        return Input(organization: id, reason: fact.reason)
    }
}
