package import AsyncHTTPClient
internal import Kernel
package import Platform

/// Asks a tenant's own `/ready`, where its scheduler placed it.
///
/// It answers 200 whatever it has to say; the body decides. One that has no `/ready` is taken at its health's word.
package struct TenantHTTP: TenantProbe {
    private let client: HTTPClient
    private let timeout: Duration

    package init(client: HTTPClient, timeout: Duration = .seconds(4)) {
        self.client = client
        self.timeout = timeout
    }

    package func readiness(at address: String) async throws(PortError) -> TenantReadiness {
        let answer: HTTPAnswer
        do throws(HTTPFailure) {
            answer = try await HTTPCaller(client: client, base: address, timeout: timeout).send(.get, "/ready")
        } catch {
            throw error.portError("tenant", changes: false)
        }
        switch answer.status {
        case 200: break
        case 404: return TenantReadiness(isReady: true)
        default: return TenantReadiness(isReady: false, open: ["status \(answer.status)"])
        }
        guard let body = answer.json?.object else {
            throw .transient(code: "tenant.garbled", message: "the tenant answered something unreadable")
        }
        let isReady = body["ready"]?.bool ?? (body["system_state"]?.string == "ready")
        let issues = (body["issues"]?.array ?? []).filter { $0["status"]?.string == "not_ready" }
        return TenantReadiness(isReady: isReady, open: issues.compactMap { $0["id"]?.string })
    }
}
