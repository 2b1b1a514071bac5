import EventStore
import Kernel
import SignalboxTestKit
import Subprocess
import SystemPackage
import Testing

@Suite("The events command", .wholeMachine, .timeLimit(.minutes(15)))
struct ResumeCommandTests {
    @Test("goes on with a token, and ends with 4 when the log has another history and 2 when it is no token")
    func tokens() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                for number in 1...3 { _ = try await running.log.append(try request(number)) }
                let leaf = try await running.log.leaf(at: 2)
                let token = ResumeToken(position: 2, leaf: leaf)
                let forged = ResumeToken(position: 1, leaf: leaf)

                let (status, output, _) = try await events(["list", "--json", "--after", "\(token)"], database)
                #expect(status == .exited(0))
                #expect(output.contains(#""position": 3"#) || output.contains(#""position" : 3"#))
                for verb in ["list", "tail"] {
                    let (forked, _, why) = try await events([verb, "--after", "\(forged)"], database)
                    #expect(forked == .exited(4))
                    #expect(why.contains("another history"))
                    let (usage, _, _) = try await events([verb, "--after", "yesterday"], database)
                    #expect(usage == .exited(2))
                }
            }
        }
    }

    private func request(_ number: Int) throws -> AppendRequest {
        let event = NewEvent(id: IDSource.system.unique(), type: "thing.happened", payload: Array("{}".utf8))
        return AppendRequest(
            causation: Causation(actor: "system", command: IDSource.system.unique()),
            writes: [
                StreamWrite(try #require(StreamName("a-\(number)")), expecting: .none, events: [event])
            ]
        )
    }

    private func events(
        _ arguments: [String],
        _ database: TestDatabase
    ) async throws -> (TerminationStatus, output: String, error: String) {
        let result = try await Subprocess.run(
            .path(FilePath(DevProcess.program)),
            arguments: Arguments(["events"] + arguments),
            environment: .inherit.updating(["DATABASE_URL": database.application]),
            output: .string(limit: 65_536),
            error: .string(limit: 65_536)
        )
        return (result.terminationStatus, result.standardOutput, result.standardError)
    }
}
