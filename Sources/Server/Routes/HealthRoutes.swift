internal import HTTPTypes
internal import Kernel

/// How the process is; none of it needs credentials.
extension API {
    var healthRoutes: [Route] {
        [
            Route(
                .get,
                "/livez",
                "alive",
                "Whether the process answers at all; depends on nothing else.",
                access: .open,
                success: .init(.ok, .named("Liveness")),
                handler: alive
            ),
            Route(
                .get,
                "/readyz",
                "ready",
                "Whether requests are welcome: the database answers and the read models keep up.",
                access: .open,
                parameters: [.init("verbose", .string(0...5), "Names every check.")],
                success: .init(.ok, .named("Readiness"), or: [.serviceUnavailable]),
                handler: ready
            ),
            Route(
                .get,
                "/health",
                "healthy",
                "Whether the database answers.",
                access: .open,
                success: .init(.ok, .named("Health"), or: [.serviceUnavailable]),
                handler: healthy
            ),
            Route(
                .get,
                "/metrics",
                "metrics",
                "What has been counted and measured, in Prometheus' text format, or as OpenMetrics if `Accept` names it.",
                access: .open,
                success: .init(.ok, .text, type: "text/plain"),
                handler: metrics
            ),
        ]
    }

    private func alive(_ call: Call) async throws(Problem) -> Answer {
        try .json(["status": "alive"])
    }

    private func ready(_ call: Call) async throws(Problem) -> Answer {
        var checks = [PlaneDoor.Check("database", problem: await backend.plane.databaseProblem())]
        checks += await backend.plane.checks()
        if stopping { checks.append(.init("process", problem: "it is shutting down")) }
        let good = checks.allSatisfy { $0.problem == nil }
        var document: [String: JSONValue] = ["status": good ? "ready" : "unready"]
        if !good || call.query.names.contains("verbose") {
            document["checks"] = .array(
                checks.map { check in
                    var entry: [String: JSONValue] = [
                        "name": .string(check.name), "status": check.problem == nil ? "ok" : "failed",
                    ]
                    if let problem = check.problem { entry["problem"] = .string(problem) }
                    return .object(entry)
                }
            )
        }
        return try .json(document, status: good ? .ok : .serviceUnavailable)
    }

    private func healthy(_ call: Call) async throws(Problem) -> Answer {
        if let problem = await backend.plane.databaseProblem() {
            return try .json(["status": "unhealthy", "error": problem], status: .serviceUnavailable)
        }
        return try .json(["status": "healthy", "timestamp": ids.now().description])
    }

    private func metrics(_ call: Call) async throws(Problem) -> Answer {
        // Who names it understands it; nobody has to weigh what else they would take.
        if call.headers[.accept]?.lowercased().contains("application/openmetrics-text") == true {
            return .text(
                backend.plane.openMetrics(),
                type: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            )
        }
        return .text(backend.plane.metrics(), type: "text/plain; version=0.0.4; charset=utf-8")
    }
}
