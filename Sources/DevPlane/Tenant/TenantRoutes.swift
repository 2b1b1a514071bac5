internal import Kernel
internal import Postgres

/// What the stand-in serves, in the shapes of the real tenant.
struct TenantRoutes: Sendable {
    let environment: TenantEnvironment
    let store: TenantStore

    /// Every answer says which slot and which image it comes from.
    func answer(_ call: Call) async -> Answer {
        var answer = await content(call)
        answer.headers["X-Tenant-Slot"] = environment.slot
        answer.headers["X-Tenant-Image"] = environment.image
        return answer
    }

    private func content(_ call: Call) async -> Answer {
        if call.method == "POST", call.path == "/visits" { return await home() }
        guard call.method == "GET" || call.method == "HEAD" else { return .text("method not allowed", status: 405) }
        switch call.path {
        // The process is up; what it depends on is not asked, and never was.
        case "/health": return .json(["status": "ok"])
        case "/ready": return await ready()
        case "/metrics": return await metrics()
        // The second one is where people are sent to sign in.
        case "/", "/login/railzway_com": return await home()
        default: return .text("404 page not found\n", status: 404)
        }
    }

    private func home() async -> Answer {
        do throws(PostgresError) {
            let visits = try await store.visit()
            return .json([
                "organization": .string(environment.organization), "name": .string(environment.name),
                "database": .string(visits.database), "user": .string(visits.user), "starts": .integer(visits.starts),
                "visits": .integer(visits.visits), "slot": .string(environment.slot),
                "image": .string(environment.image),
            ])
        } catch {
            return .json(["error": .string(error.description)], status: 503)
        }
    }

    /// Always 200: whether it is ready stands in the body.
    private func ready() async -> Answer {
        var schema: JSONValue = "ready"
        var scheduler: JSONValue = "not_ready"
        var evidence: [String: JSONValue] = ["slot": .string(environment.slot)]
        do throws(PostgresError) {
            if let lease = try await store.lease() {
                // The other slot's turn is no fault of this one.
                scheduler = lease.slot == environment.slot ? "ready" : "optional"
                evidence["holder"] = .string(lease.slot)
                evidence["epoch"] = .integer(lease.epoch)
            }
        } catch {
            schema = "not_ready"
            evidence["error"] = .string(error.description)
        }
        // For trying out what becomes of one that never is.
        if environment.image.hasSuffix("-unready") { schema = "not_ready" }
        let isReady = schema == "ready" && scheduler != "not_ready"
        func issue(_ id: JSONValue, _ status: JSONValue, _ evidence: JSONValue) -> JSONValue {
            ["id": id, "status": status, "action_href": "", "evidence": evidence]
        }
        return .json([
            "ready": .bool(isReady), "system_state": isReady ? "ready" : "not_ready",
            "image": .string(environment.image),
            "issues": [
                issue("schema_gate", schema, [:]), issue("test_clock_disabled", "ready", [:]),
                issue("scheduler_single_lease", scheduler, .object(evidence)),
            ],
        ])
    }

    private func metrics() async -> Answer {
        let isWorking: Bool
        do throws(PostgresError) { isWorking = try await store.lease()?.slot == environment.slot } catch {
            isWorking = false
        }
        let text = """
            # HELP tenant_up Whether the tenant serves.
            # TYPE tenant_up gauge
            tenant_up 1
            # HELP tenant_scheduler_active Whether this slot's scheduler works.
            # TYPE tenant_scheduler_active gauge
            tenant_scheduler_active \(isWorking ? 1 : 0)

            """
        return Answer(
            status: 200,
            headers: ["Content-Type": "text/plain; version=0.0.4; charset=utf-8"],
            body: .bytes(Array(text.utf8))
        )
    }
}
