internal import Domain
internal import EventStore
package import Kernel

/// Changing an instance that runs, one change at a time.
extension CommandDesk {
    /// Gives an instance another login to its database; the one before ends once the next is in use.
    package func rotateCredentials(
        of id: InstanceID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await change(id, by: envelope) { (instance, _) throws(CommandError) in
            guard let rotation = instance.credentials?.rotation else { throw .instance(.notRunning) }
            return .init(change: InstanceChange.credentials, from: "\(rotation)", to: "\(rotation + 1)")
        }
    }

    /// Asks for a change; the saga that makes it has the id of the event.
    ///
    /// - Parameters:
    ///   - id: The instance.
    ///   - envelope: Who asks.
    ///   - wish: What is asked for, of the instance as it is.
    /// - Returns: The operation.
    /// - Throws: ``CommandError``.
    func change(
        _ id: InstanceID,
        by envelope: CommandEnvelope,
        _ wish: (Instance, Organization) async throws(CommandError) -> InstanceEvent.ChangeRequested
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await handler.commit(envelope, knownBy: Streams.instance(id)) { () throws(CommandError) in
            let (instance, organization) = try await instance(id, for: envelope.principal, to: .operate)
            do throws(Organization.Refusal) { try organization.model.requireActive() } catch {
                throw .organization(error)
            }
            let operation = handler.ids.unique()
            var decision = try decision(
                instance,
                [.requestChange(try await wish(instance.model, organization.model))],
                answer: OperationStarted(operation: operation),
                envelope,
                first: operation
            ) { .instance($0) }
            // The organization must still be as it was judged.
            decision.writes.append(try organization.write([], ids: handler.ids))
            return decision
        }
    }
}
