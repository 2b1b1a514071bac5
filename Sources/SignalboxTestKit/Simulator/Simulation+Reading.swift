package import Commands
package import Domain
package import EventStore
package import Kernel
package import Sagas
internal import SignalboxTestKit

extension Simulation {
    package func stream(_ cause: UniqueID? = nil, of kind: String = ProvisionInstance.kind) throws -> StreamName {
        guard let stream = StreamName(SagaCause.stream(kind: kind, cause: cause ?? self.cause)) else {
            throw Unknown(kind: kind)
        }
        return stream
    }

    package func sagaEvents(_ cause: UniqueID? = nil, of kind: String = ProvisionInstance.kind) throws -> [SagaEvent] {
        try history(of: SagaEvent.self, in: try stream(cause, of: kind))
    }

    package func status(
        _ cause: UniqueID? = nil,
        of kind: String = ProvisionInstance.kind
    ) async throws -> String? {
        let stream = try stream(cause, of: kind)
        return try await log.list(kinds: nil, statuses: Self.statuses).first { $0.stream == stream }?.status
    }

    package func stage() async throws -> Instance.Stage { try await folded(instance).stage }

    /// An instance as its events tell it.
    package func folded(_ instance: InstanceID) async throws -> Instance {
        let stream = StreamName(category: InstanceEvent.category, id: instance)
        return Instance(replaying: try history(of: InstanceEvent.self, in: stream))
    }

    /// What happened in a stream, as far as this build knows it.
    package func history<Family: EventFamily>(of family: Family.Type, in stream: StreamName) throws -> [Family] {
        try log.events.filter { $0.stream == stream }.compactMap { event in
            try Family.decode(type: event.type, schemaVersion: event.schemaVersion, payload: event.payload ?? [])
        }
    }

    /// The routers that were taken out of the document that the edge reads.
    static func withdrawn(in log: MemoryLog) -> Set<String> {
        var routers: Set<String> = []
        for event in log.events {
            switch event.type {
            case InstanceEvent.Name.routePublished.rawValue: router(event).map { _ = routers.remove($0) }
            case InstanceEvent.Name.routeWithdrawn.rawValue: router(event).map { _ = routers.insert($0) }
            default: break
            }
        }
        return routers
    }

    private static func router(_ event: RecordedEvent) -> String? {
        // Both say it in the same place; what cannot be read is no route.
        let payload = try? JSON.decode(JSONValue.self, from: event.payload ?? [])
        return payload?["router"]?.string
    }
}

extension TenantSettings {
    /// Production's, but for waits that would only make schedules longer: each look is a point at which things go wrong.
    package static let simulated = TenantSettings(
        oauthURI: "https://auth.example",
        drain: .milliseconds(100),
        shiftPause: .milliseconds(100)
    )
}
