internal import FoundationEssentials
internal import Kernel
package import Platform

/// Registers tenants' OAuth clients at the identity service.
///
/// Our own client proves itself for every call with a token of its own (client credentials, scope `admin`). The service
/// makes a client or updates it; it has no way to delete one, so the undo makes the old secret useless.
package struct OAuthClientRegistration: OAuthClients {
    private let caller: HTTPCaller
    private let tenant: String
    private let clientID: String
    private let clientSecret: Secret

    /// A way to one identity service.
    ///
    /// - Parameters:
    ///   - caller: Its base is the identity service; 10 s is a fitting timeout.
    ///   - tenant: Sent as `X-Tenant-ID`.
    ///   - clientID: Our own client.
    ///   - clientSecret: Its secret.
    package init(caller: HTTPCaller, tenant: String, clientID: String, clientSecret: Secret) {
        self.caller = caller
        self.tenant = tenant
        self.clientID = clientID
        self.clientSecret = clientSecret
    }

    package func ensure(organization: String, redirect: String) async throws(PortError) -> OAuthClient {
        let json = try await register([
            "external_org_id": .string(organization),
            "redirect_uris": [.string(redirect)],
        ])
        guard let id = json["client_id"]?.string, !id.isEmpty else { throw garbled }
        return OAuthClient(id: id, secret: Secret(json["client_secret"]?.string ?? ""))
    }

    package func rotateSecret(organization: String) async throws(PortError) {
        _ = try await register(["external_org_id": .string(organization), "rotate_secret": true])
    }

    private func register(_ body: JSONValue) async throws(PortError) -> JSONValue {
        let answer = try await send(
            "/admin/oauth/clients",
            [("Authorization", "Bearer " + (try await token())), ("Content-Type", "application/json")],
            (try? JSON.encode(body)) ?? []  // a JSON value is always JSON
        )
        guard let json = answer.json else { throw garbled }
        return json
    }

    private func token() async throws(PortError) -> String {
        let credentials = Data("\(clientID):\(clientSecret.revealed)".utf8).base64EncodedString()
        let form = HTTPCaller.form([
            ("grant_type", "client_credentials"),
            ("scope", "admin"),
            ("client_id", clientID),
            ("client_secret", clientSecret.revealed),
        ])
        let answer = try await send(
            "/token",
            [("Authorization", "Basic " + credentials), ("Content-Type", "application/x-www-form-urlencoded")],
            form
        )
        guard let token = answer.json?["access_token"]?.string, !token.isEmpty else { throw garbled }
        return token
    }

    /// Both calls may be sent again: a token is only one more, and a registration is an upsert.
    private func send(
        _ path: String,
        _ headers: [(String, String)],
        _ body: [UInt8]
    ) async throws(PortError) -> HTTPAnswer {
        let answer: HTTPAnswer
        do throws(HTTPFailure) {
            answer = try await caller.send(.post, path, headers: [("X-Tenant-ID", tenant)] + headers, body: body)
        } catch {
            throw error.portError("identity", changes: true)
        }
        let message = "the identity service answered \(answer.status)"
        let code = "identity.\(answer.json?["error"]?.string ?? String(answer.status))"
        switch answer.status {
        case 200..<300: return answer
        // The tenant, our client or its scope: configuration.
        case 401, 403, 404: throw .blocked(code: code, message: message)
        case 409: throw .conflict(code: code, message: message)
        case 429, 502, 503: throw .transient(code: code, message: message, retryAfter: answer.retryAfter)
        case 400..<500: throw .permanent(code: code, message: message)
        default: throw .unknown(code: code, message: message)
        }
    }

    private var garbled: PortError {
        .transient(code: "identity.garbled", message: "the identity service answered something unreadable")
    }
}
