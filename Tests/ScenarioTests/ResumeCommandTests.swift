import EventStore
import Kernel
import SignalboxTestKit
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

                let signalbox = CommandLine(database: database.application)
                let list = try await signalbox("events", "list", "--json", "--after", "\(token)")
                #expect(list.code == 0)
                #expect(list.output.contains(#""position": 3"#) || list.output.contains(#""position" : 3"#))
                for verb in ["list", "tail"] {
                    let forked = try await signalbox("events", verb, "--after", "\(forged)")
                    #expect(forked.code == 4)
                    #expect(forked.errors.contains("another history"))
                    #expect(try await signalbox("events", verb, "--after", "yesterday").code == 2)
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
}
