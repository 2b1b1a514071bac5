internal import Kernel
internal import Server

extension SpanRecorder {
    /// Keeps the span of a request, unless its trace is not wanted.
    func keep(_ request: ServedRequest) {
        guard request.trace.isSampled else { return }
        // Nobody follows the looks of a monitor, unless the monitor itself does.
        if request.trace.parent == nil, Self.quiet.contains(request.route ?? "") { return }
        var attributes: [String: JSONValue] = [
            "http.request.method": .string(request.method),
            "http.response.status_code": .integer(Int64(request.status)),
            "signalbox.request": .string(request.id),
        ]
        if let route = request.route { attributes["http.route"] = .string(route) }
        if let problem = request.problem { attributes["error.type"] = .string(problem) }
        keep(
            TraceSpan(
                trace: request.trace.trace,
                id: request.trace.span,
                parent: request.trace.parent,
                name: request.method + (request.route.map { " " + $0 } ?? ""),
                kind: .server,
                start: request.start,
                end: request.start + request.took,
                attributes: attributes,
                problem: request.status >= 500 ? request.problem : nil
            )
        )
    }

    private static let quiet: Set<String> = ["/livez", "/readyz", "/health", "/metrics", "/traefik/dynamic"]
}
