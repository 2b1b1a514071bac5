import Kernel
import Testing

@Suite("org create", .wholeMachine, .timeLimit(.minutes(15)))
struct OrganizationCommandTests {
    private static let onboarded: JSONValue = [
        "operation": ["id": "0192f0c1-2b3c-7d4e-8f50-616263646566"], "instance": ["id": "7"],
        "organization": ["id": "5"],
    ]

    private func create(_ url: String) async throws -> CommandLine.Outcome {
        try await CommandLine(database: "", environment: ["SIGNALBOX_URL": url, "SIGNALBOX_TOKEN": "x"])(
            "org",
            "create",
            "Acme",
            "--slug",
            "acme",
            "--no-wait"
        )
    }

    @Test("sends the same key again while the server is away, so that one organization is made")
    func again() async throws {
        let asked = try await ScriptedServer.with([
            .init(status: 503, body: ["title": "not now"]), .init(status: 0), .init(status: 202, body: Self.onboarded),
        ]) { url in
            let outcome = try await create(url)
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(outcome.errors.contains("trying again"))
            #expect(outcome.output.contains("organization 5"))
        }
        #expect(asked.map(\.path) == Array(repeating: "/v1/onboarding", count: 3))
        let keys = Set(asked.map(\.key))
        #expect(keys.count == 1 && keys.first != .some(nil))
    }

    @Test("waits through a server that is away while the operation runs")
    func waits() async throws {
        let asked = try await ScriptedServer.with([
            .init(status: 202, body: Self.onboarded), .init(status: 503, body: [:]), .init(status: 0),
            .init(status: 200, body: ["status": "completed"]), .init(status: 200, body: ["id": "7"]),
        ]) { url in
            let signalbox = CommandLine(database: "", environment: ["SIGNALBOX_URL": url, "SIGNALBOX_TOKEN": "x"])
            let outcome = try await signalbox("org", "create", "Acme", "--slug", "acme", "--json")
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(outcome.json["id"] == "7")
        }
        #expect(asked.count == 5)
    }

    @Test("says what is wrong with the input, where, and ends with 2")
    func invalid() async throws {
        let problem: JSONValue = [
            "title": "The input is not valid",
            "errors": [
                ["detail": "is taken", "pointer": "#/organization/slug"],
                ["detail": "is not known", "parameter": "dry-run"],
            ],
        ]
        let asked = try await ScriptedServer.with([.init(status: 422, body: problem)]) { url in
            let outcome = try await create(url)
            #expect(outcome.code == 2)
            #expect(outcome.errors.contains("#/organization/slug is taken"))
            #expect(outcome.errors.contains("dry-run is not known"))
        }
        #expect(asked.count == 1)
    }
}
