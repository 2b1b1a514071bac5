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
        try await change(id, by: envelope) { (instance) throws(CommandError) in
            guard let rotation = instance.credentials?.rotation else { throw .instance(.notRunning) }
            return .init(change: InstanceChange.credentials, from: "\(rotation)", to: "\(rotation + 1)")
        }
    }

    /// Asks for a change of an instance that runs.
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
        _ wish: (Instance) async throws(CommandError) -> InstanceEvent.ChangeRequested
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await move(id, by: envelope) { (instance, organization) throws(CommandError) in
            try organization.requireActive()
            return .requestChange(try await wish(instance))
        }
    }
}
