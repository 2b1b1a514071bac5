internal import Domain
internal import EventStore
package import Kernel

/// The published routes: what the edge is told, one row for each instance that has one.
package enum Routes: Projection {
    package typealias Row = RouteView

    package static let name = "routes"
    package static let shape = 1
    package static let reads = Set(
        [InstanceEvent.Name.routePublished, .routeWithdrawn, .trafficShifted, .terminated].map(\.rawValue)
    )

    package static func key(of entry: Entry) -> String? { entry.subject }

    package static func fold(into row: inout RouteView?, _ entry: Entry) throws {
        guard case .instance(let event) = entry.event else { return }
        switch event {
        case .routePublished(let fact):
            guard let instance = InstanceID(entry.subject) else { throw FoldError.missing(key: entry.subject) }
            row = RouteView(
                instanceID: instance,
                organizationID: entry.record.organization,
                router: fact.router,
                host: fact.host,
                service: fact.service,
                generation: fact.generation,
                position: entry.position
            )
        case .routeWithdrawn, .terminated:
            row = nil
        case .trafficShifted(let fact):
            // Only what is published has traffic to be divided.
            row?.writes = fact.services(\.writes)
            row?.reads = fact.services(\.reads)
            row?.position = entry.position
        default:
            break
        }
    }
}

/// A host name that leads to a service.
package struct RouteView: Codable, Equatable, Sendable {
    package var instanceID: InstanceID
    @Nullable package var organizationID: OrganizationID?
    /// The router's name, for example `org-42`.
    package var router: String
    package var host: String
    /// The name in the service catalogue that traffic goes to.
    package var service: String
    package var generation: Int
    /// Where in the log it was published.
    package var position: Int64
    /// The weights of several services in place of the one, while the traffic is divided.
    package var writes: [String: Int]?
    /// The same for what only looks.
    package var reads: [String: Int]?

    package init(
        instanceID: InstanceID,
        organizationID: OrganizationID?,
        router: String,
        host: String,
        service: String,
        generation: Int,
        position: Int64
    ) {
        self.instanceID = instanceID
        self.organizationID = organizationID
        self.router = router
        self.host = host
        self.service = service
        self.generation = generation
        self.position = position
    }

    private enum CodingKeys: String, CodingKey {
        case instanceID = "instanceId"
        case organizationID = "organizationId"
        case router, host, service, generation, position, writes, reads
    }
}

extension InstanceEvent.TrafficShifted {
    /// The share of each service that gets any.
    fileprivate func services(_ share: (InstanceEvent.SlotWeight) -> Int) -> [String: Int] {
        Dictionary(weights.map { ($0.service, share($0)) }.filter { $0.1 > 0 }) { first, _ in first }
    }
}
