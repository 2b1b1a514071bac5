import FoundationEssentials
import Glibc
import Kernel
import Subprocess
import SystemPackage
import Testing

@testable import signalbox

/// The files under deploy/, exercised as far as one machine allows.
@Suite("Deploy", .wholeMachine, .timeLimit(.minutes(15)))
struct DeployTests {
    private static let folder =
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 } + "/deploy"

    @Test("systemd finds nothing wrong with the unit")
    func unit() async throws {
        var unit = try Self.text("signalbox.service")
        // The unit names where the program is installed; here it is where it was built.
        unit = unit.split(separator: "/usr/bin/signalbox", omittingEmptySubsequences: false).joined(
            separator: DevProcess.program
        )
        let path = try temporaryFolder("signalbox-unit") + "/signalbox.service"
        defer { Self.remove(path) }
        try Data(unit.utf8).write(to: URL(filePath: path))
        let result = try await Subprocess.run(
            .name("systemd-analyze"),
            arguments: ["verify", "--man=no", path],
            output: .string(limit: 65_536),
            error: .string(limit: 65_536)
        )
        let complaints = (result.standardOutput + result.standardError).split(separator: "\n").filter {
            $0.contains("signalbox.service")
        }
        #expect(complaints == [], "\(complaints)")
    }

    @Test("the real edge starts with the static configuration, with its addresses and token filled in")
    func edge() async throws {
        let folder = try temporaryFolder("signalbox-edge")
        defer { Self.remove(folder + "/traefik.yaml") }
        let ports = try (0..<3).map { _ in try #require(Workspace.anyPort) }
        var text = try Self.text("traefik.yaml")
        for (placeholder, value) in [
            (":80\"", "127.0.0.1:\(ports[0])\""), (":443\"", "127.0.0.1:\(ports[1])\""),
            ("\":8080\"", "\"127.0.0.1:\(ports[2])\""), ("acme.json", folder + "/acme.json"),
        ] {
            #expect(text.contains(placeholder))
            text = text.split(separator: placeholder, omittingEmptySubsequences: false).joined(separator: value)
        }
        try Data(text.utf8).write(to: URL(filePath: folder + "/traefik.yaml"))
        let program = try await EmbeddedEdge.install()
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        let api = Client(base: "http://127.0.0.1:\(ports[2])", key: nil)
        let result = try await Subprocess.run(
            .path(FilePath(program)),
            arguments: ["--configFile=\(folder)/traefik.yaml"],
            platformOptions: options,
            input: .none,
            output: .discarded,
            error: .discarded
        ) { execution -> Result<JSONValue, any Error> in
            defer { kill(execution.processIdentifier.value, SIGTERM) }
            do {
                return .success(
                    try await eventually(within: .seconds(30), { "the edge does not answer" }) {
                        guard let answer = try? await api.get("/api/overview"), answer.status == 200 else { return nil }
                        return answer.json
                    }
                )
            } catch {
                return .failure(error)
            }
        }
        let providers = try result.closureResult.get()["providers"]?.array?.compactMap(\.string) ?? []
        #expect(Set(providers).isSuperset(of: ["HTTP", "Nomad"]), "\(providers)")
    }

    @Test("the job of Signalbox itself is one that the scheduler takes")
    func job() async throws {
        let job = try Array(Self.text("signalbox.nomad.json").utf8)
        try await Story.told { story, _ in
            let nomad = Client(base: story.running.nomad, key: nil)
            let answer = try await nomad.send("PUT", "/v1/validate/job", body: job)
            #expect(answer.status == 200, "\(answer.text)")
            let problems = answer.json["ValidationErrors"]?.array ?? []
            #expect(problems.isEmpty, "\(answer.text)")
            let error = answer.json["Error"]?.string ?? ""
            #expect(error == "", "\(answer.text)")
        }
    }

    private static func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: folder + "/" + name)), as: UTF8.self)
    }

    /// Removes a file and the folder that was made for it.
    private static func remove(_ path: String) {
        let folder = path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
        try? FileManager.default.removeItem(atPath: folder)
    }
}
