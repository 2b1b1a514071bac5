import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("A log whose database goes away")
struct OutageTests {
    @Test("refuses at once, recovers by itself, and has everything it acknowledged", arguments: Durability.allCases)
    func outage(durability: Durability) async throws {
        let server = try await PostgresServer.start(durable: true)
        let database = try await server.makeDatabase(.migrated)
        try await withLog(in: database, durability: durability, patience: .milliseconds(200)) { running in
            for number in 1...20 { _ = try await running.log.append(request("a-\(number)", .none)) }
            try await server.stop(.immediate)
            try await eventually {
                do throws(AppendError) {
                    _ = try await running.log.append(request("b-1", .any))
                    return false
                } catch {
                    return error == .unavailable
                }
            }
            await #expect(throws: LogError.self) { try await running.log.frontier() }
            try await server.launch()
            try await eventually { (try? await running.log.append(request("c-1", .any))) != nil }
            let page = try await running.log.read(after: 0, through: nil, matching: .everything, limit: 1000)
            #expect(page.events.prefix(20).map(\.stream.text) == (1...20).map { "a-\($0)" })
            #expect(page.events.count { $0.stream == stream("c-1") } == 1)
        }
        try await server.remove()
    }
}
