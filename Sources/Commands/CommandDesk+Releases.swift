package import Domain
internal import EventStore
package import Kernel

/// Other versions for an instance that runs.
extension CommandDesk {
    /// Asks for another version of what an instance runs.
    ///
    /// - Parameters:
    ///   - id: The instance.
    ///   - version: A registered one, not at its end of life, that the instance's plan is large enough for.
    ///   - strategy: How the one takes the place of the other.
    ///   - envelope: Who asks.
    /// - Returns: The operation.
    /// - Throws: ``CommandError``.
    package func changeRelease(
        of id: InstanceID,
        to version: String,
        _ strategy: ReleaseStrategy,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await change(id, by: envelope) { (instance) throws(CommandError) in
            guard let requested = instance.requested else { throw .notFound }
            let application = requested.release.application
            let releases = try await handler.aggregates.load(Release.self, from: Streams.release(application))
            let release: ReleaseSnapshot
            do throws(Release.Refusal) {
                release = try releases.model.snapshot(of: application, version: version, for: requested.plan.tier)
            } catch { throw .release(error) }
            return .init(
                change: InstanceChange.version,
                from: requested.release.version,
                to: version,
                release: release,
                strategy: strategy
            )
        }
    }

    /// Says how far a version may be trusted; no instance can be given one that is at its end of life.
    package func changeReleaseStatus(
        version: String,
        to status: ReleaseStatus,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try Self.requireOperator(envelope.principal)
        let stream = Streams.release(settings.application)
        return try await handler.commit(envelope, knownBy: nil) { () throws(CommandError) in
            let releases = try await handler.aggregates.load(Release.self, from: stream)
            return try decision(
                releases,
                .changeStatus(version: version, status),
                answer: Done(),
                envelope
            ) { .release($0) }
        }
    }
}
