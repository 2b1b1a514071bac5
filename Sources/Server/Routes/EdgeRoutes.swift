internal import HTTPTypes
internal import Kernel
internal import Projections
internal import Synchronization

/// What the edge router is told.
extension API {
    var edgeRoutes: [Route] {
        [
            Route(
                .get,
                "/traefik/dynamic",
                "edgeConfiguration",
                "The routers of all tenants, for Traefik's HTTP provider; never older than what was served before.",
                access: .edge,
                success: .init(.ok, .anything),
                handler: edgeConfiguration
            )
        ]
    }

    private func edgeConfiguration(_ call: Call) async throws(Problem) -> Answer {
        let floor = try await edgeFloor()
        let reading = try await read { () throws(ReadError) in try await backend.reads.routes(floor) }
        edge.raise(to: reading.position)
        var answer = Answer(body: .bytes(backend.plane.edgeDocument(reading.value), type: "application/json"))
        answer.headers[.logPosition] = String(reading.position)
        return answer
    }

    /// The position that the routes must have passed.
    ///
    /// A process that has served nothing yet does not know what another one served before it, but that was no newer
    /// than the log is now.
    private func edgeFloor() async throws(Problem) -> Int64 {
        if let floor = edge.position { return floor }
        do {
            edge.raise(to: try await backend.events.frontier())
        } catch {
            throw .unavailable(cause: error)
        }
        return edge.position ?? 0
    }
}

/// The newest position that the edge was told about; it only grows.
final class EdgeWatermark: Sendable {
    private let mark = Mutex<Int64?>(nil)

    /// `nil` until the edge was told anything.
    var position: Int64? { mark.withLock { $0 } }

    func raise(to position: Int64) {
        mark.withLock { $0 = max($0 ?? position, position) }
    }
}
