import DevPlane
import Kernel
import SignalboxTestKit
import Synchronization
import Testing

/// An agent under test and those who talk to it.
struct AgentWorld: Sendable {
    let agent: Client
    let faults: Faults
    let folder: String

    func register(_ job: JSONValue, index: Int64? = nil) async throws -> Reply {
        var body: [String: JSONValue] = ["Job": job]
        if let index {
            body["EnforceIndex"] = true
            body["JobModifyIndex"] = .integer(index)
        }
        return try await agent.send("PUT", "/v1/jobs", .object(body))
    }

    func job(_ id: String) async throws -> JSONValue { try await agent.get("/v1/job/\(id)").json }

    func allocations(_ id: String) async throws -> [JSONValue] {
        try await agent.get("/v1/job/\(id)/allocations?all=true").json.array ?? []
    }

    func deployment(_ id: String) async throws -> JSONValue { try await agent.get("/v1/job/\(id)/deployment").json }

    /// The task behind a service of that name.
    func tenant(_ service: String) async throws -> Client {
        let found = try await agent.get("/v1/service/\(service)").json.array ?? []
        return Client(port: Int(try #require(found.first?["Port"]?.integer)))
    }

    /// Waits until the newest version's deployment has the status.
    func deployed(_ id: String, _ status: String = "successful", version: Int64? = nil) async throws {
        try await eventually(within: .seconds(60)) {
            let deployment = try await deployment(id)
            return deployment["Status"]?.string == status
                && (version == nil || deployment["JobVersion"]?.integer == version)
        }
    }
}

/// Ports are handed out in slices, so that agents of parallel tests do not choose the same ones.
private let slices = Atomic<Int>(0)

/// Starts an agent, and stops it in order afterwards.
func withAgent<Value: Sendable>(
    in folder: String? = nil,
    _ adjust: (inout NomadAgent.Configuration) -> Void = { _ in },
    _ body: @Sendable @escaping (AgentWorld) async throws -> Value
) async throws -> Value {
    guard let folder else { return try await withFolder { try await withAgent(in: $0, adjust, body) } }
    var configuration = NomadAgent.Configuration(
        directory: folder + "/agent",
        runDirectory: folder + "/run",
        port: 0,
        command: TestJob.command
    )
    let slice = 21000 + slices.wrappingAdd(1, ordering: .relaxed).oldValue % 100 * 100
    configuration.ports = slice...(slice + 99)
    configuration.environment = ["PATH": "/usr/bin:/bin"]
    adjust(&configuration)
    let faults = Faults()
    let agent = NomadAgent(configuration, faults: faults, logger: quiet)
    return try await serving(agent) {
        try await body(AgentWorld(agent: Client(port: try await agent.port), faults: faults, folder: folder))
    }
}
