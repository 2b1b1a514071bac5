import Glibc
import Kernel
import Testing

@testable import signalbox

/// A real `signalbox serve` beside a running `signalbox dev`: the same log, scheduler, billing and cluster of tenants.
struct ServeProcess: Sendable {
    let dev: DevProcess
    let running: DevProcess.Announcement

    /// What it said when it ran.
    struct Started: Sendable {
        var pid: Int32
        var client: Client
    }

    /// Starts it, runs `body` once it is ready, and ends it with this signal, unless `body` has done so.
    ///
    /// - Returns: What `body` returned, and how the process ended (128 + signal when it was killed).
    @discardableResult
    func run<Value: Sendable>(
        ending signal: Int32 = SIGTERM,
        _ body: @escaping @Sendable (Started) async throws -> Value
    ) async throws -> (value: Value, status: Int) {
        let port = try #require(Workspace.anyPort)
        let program = Program(
            arguments: ["serve"],
            environment: try environment(port: port),
            log: dev.directory + "/serve.log"
        )
        return try await program.run(ending: signal, failing: SIGKILL) { pid in
            let client = Client(base: "http://127.0.0.1:\(port)", key: running.apiKey)
            _ = try await eventually(within: .seconds(60), { "serve is not ready: \(program.printed)" }) {
                guard kill(pid, 0) == 0 else {
                    throw DevProcess.Failure(description: "serve ended: \(program.printed)")
                }
                return try? await client.get("/readyz").status == 200 ? () : nil
            }
            return try await body(Started(pid: pid, client: client))
        }
    }

    /// As `signalbox dev` sets up its own.
    private func environment(port: Int) throws -> [String: String] {
        let address = running.databaseUrl.split(separator: "@").last?.split(separator: "/").first
        let tenants = address?.split(separator: ":").last.map(String.init) ?? ""
        return [
            "ENVIRONMENT": "development", "SIGNALBOX_HOST": "127.0.0.1", "PORT": "\(port)",
            "DATABASE_URL": running.databaseUrl, "SIGNALBOX_ARCHIVE": dev.directory + "/archive",
            "BACKUP_DIR": dev.directory + "/backups", "APP_ROOT_DOMAIN": "localhost", "APP_ROOT_SCHEME": "http",
            "SIGNALBOX_MASTER_KEYS": try dev.key("master"), "SIGNALBOX_TRAEFIK_TOKEN": try dev.key("traefik"),
            "SIGNALBOX_ENTRY_POINT": "web", "PROVISION_DB_HOST": "127.0.0.1", "PROVISION_DB_PORT": tenants,
            "PROVISION_DB_USER": "signalbox_provisioner", "PROVISION_DB_PASSWORD": try dev.key("provisioner"),
            "PROVISION_DB_SSL_MODE": "disable", "PROVISION_DB_CONNECTION_LIMIT": "10",
            "PROVISION_DB_PROTECT": "signalbox", "NOMAD_ADDR": running.nomad, "SIGNALBOX_MIN_HEALTHY_TIME": "0.5",
            "SIGNALBOX_RECONCILE_PERIOD": "15", "SIGNALBOX_HEALTHY_DEADLINE": "60",
            "SIGNALBOX_PROGRESS_DEADLINE": "120", "SIGNALBOX_CHECK_INTERVAL": "1", "SIGNALBOX_CHECK_TIMEOUT": "1",
            "RAILZWAY_CLIENT_URL": running.billing, "RAILZWAY_API_KEY": try dev.key("billing"),
            "PROVISION_RATE_LIMIT_REDIS_ADDR": "127.0.0.1:6379", "OAUTH2_URI": "http://accounts.localhost",
        ]
    }
}
