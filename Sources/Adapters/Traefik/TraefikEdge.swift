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
        try await problem(router: router, rule: TraefikDocument.rule(host: host))
    }

    package func problem(with route: Route) async throws(PortError) -> String? {
        if let problem = try await problem(router: route.router, rule: TraefikDocument.rule(host: route.host)) {
            return problem
        }
        if let problem = try await problem(service: route.router, weights: route.services) { return problem }
        let reading = TraefikDocument.reading(route.router)
        guard let reads = route.reads else {
            let isGone = try await asked("routers", reading) == nil
            return isGone ? nil : "the edge still has a router of its own for reads"
        }
        let rule = TraefikDocument.readRule(host: route.host)
        if let problem = try await problem(router: reading, rule: rule) { return problem }
        return try await problem(service: reading, weights: reads)
    }

    private func problem(router: String, rule: String) async throws(PortError) -> String? {
        guard let live = try await asked("routers", router) else { return "the edge does not have the router yet" }
        guard live["status"]?.string == "enabled" else {
            let reasons = (live["error"]?.array ?? []).compactMap(\.string)
            return "the edge has disabled the router: \(reasons.joined(separator: ", "))"
        }
        guard live["rule"]?.string == rule else { return "the edge still has another rule for the router" }
        return nil
    }

    private func problem(service: String, weights: [String: Int]) async throws(PortError) -> String? {
        guard let live = try await asked("services", service) else { return "the edge does not have the service yet" }
        var found: [String: Int] = [:]
        for leaf in live["weighted"]?["services"]?.array ?? [] {
            // Which provider knows its address is another question.
            guard let name = leaf["name"]?.string?.split(separator: "@").first else { continue }
            found[String(name)] = Int(leaf["weight"]?.integer ?? 1)
        }
        return found == weights.filter { $0.value > 0 } ? nil : "the edge still divides the traffic otherwise"
    }

    /// What the edge has under a name; `nil` when it has nothing.
    private func asked(_ kind: String, _ name: String) async throws(PortError) -> [String: JSONValue]? {
        let answer: HTTPAnswer
        do throws(HTTPFailure) {
            answer = try await caller.send(.get, "/api/http/\(kind)/\(HTTPCaller.segment(name))@http")
        } catch {
            throw error.portError("edge", changes: false)
        }
        switch answer.status {
        case 200: break
        case 404: return nil
        case 401, 403: throw .blocked(code: "edge.rights", message: "the edge refuses us its API (\(answer.status))")
        default: throw .transient(code: "edge.\(answer.status)", message: "the edge answered \(answer.status)")
        }
        guard let live = answer.json?.object else {
            throw .transient(code: "edge.garbled", message: "the edge answered something unreadable")
        }
        return live
    }
}
