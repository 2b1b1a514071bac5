internal import Kernel
package import Platform

/// Reads from Traefik's API whether a router is live; Traefik acknowledges nothing by itself.
package struct TraefikEdge: Edge {
    private let caller: HTTPCaller

    /// - Parameter caller: Its base is Traefik's API, e.g. `http://127.0.0.1:8080`.
    package init(caller: HTTPCaller) {
        self.caller = caller
    }

    package func problem(router: String, host: String) async throws(PortError) -> String? {
        let answer: HTTPAnswer
        do throws(HTTPFailure) {
            answer = try await caller.send(.get, "/api/http/routers/\(HTTPCaller.segment(router))@http")
        } catch {
            throw error.portError("edge", changes: false)
        }
        switch answer.status {
        case 200: break
        case 404: return "the edge does not have the router yet"
        case 401, 403: throw .blocked(code: "edge.rights", message: "the edge refuses us its API (\(answer.status))")
        default: throw .transient(code: "edge.\(answer.status)", message: "the edge answered \(answer.status)")
        }
        guard let live = answer.json?.object else {
            throw .transient(code: "edge.garbled", message: "the edge answered something unreadable")
        }
        guard live["status"]?.string == "enabled" else {
            let reasons = (live["error"]?.array ?? []).compactMap(\.string)
            return "the edge has disabled the router: \(reasons.joined(separator: ", "))"
        }
        guard live["rule"]?.string == TraefikDocument.rule(host: host) else {
            return "the edge still has another rule for the router"
        }
        return nil
    }
}
