import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import EventStore

@Suite("Contiguity")
struct ContiguityTests {
    private func page(_ positions: [Int64], from: Int64, to: Int64) throws -> EventPage {
        let id = UniqueID(1)
        let stream = try #require(StreamName("a-1"))
        let events = positions.map { position in
            RecordedEvent(
                position: position,
                id: id,
                stream: stream,
                organization: nil,
                version: 1,
                type: "a.happened",
                schemaVersion: 1,
                recordedAt: Timestamp(microseconds: 0),
                actor: "system",
                command: id,
                cause: nil,
                correlation: id,
                metadata: "{}",
                payload: []
            )
        }
        return EventPage(events: events, scannedFrom: from, scannedTo: to)
    }

    @Test("a page without a hole is taken", arguments: [[5, 6, 7], []] as [[Int64]])
    func whole(positions: [Int64]) throws {
        try page(positions, from: 5, to: positions.last ?? 4).assertContiguous()
    }

    @Test(
        "a page with a position missing anywhere is a violation",
        arguments: [[6, 7], [5, 7], [5, 6], [], [5, 5, 6], [5, 7, 6]] as [[Int64]]
    )
    func hole(positions: [Int64]) throws {
        #expect(throws: LogError.self) { try page(positions, from: 5, to: 7).assertContiguous() }
    }

    @Test("a page that begins right after the reader and keeps its order is taken")
    func follows() throws {
        try page([6, 9], from: 5, to: 9).check(after: 4, for: .page)
        try page([], from: 5, to: 4).check(after: 4, for: .page)
        try page([5, 6], from: 5, to: 6).check(after: 4, isWhole: true, for: .page)
    }

    @Test(
        "a filtered page that leaves positions unlooked at, or events out of order, is a violation",
        arguments: [
            ([6], 6, 9), ([6], 4, 9), ([4], 5, 9), ([6, 6], 5, 9), ([7, 6], 5, 9), ([10], 5, 9), ([], 5, 3),
        ] as [([Int64], Int64, Int64)]
    )
    func strays(positions: [Int64], from: Int64, to: Int64) throws {
        #expect(throws: LogError.self) { try page(positions, from: from, to: to).check(after: 4, for: .page) }
    }

    @Test("a whole page may leave nothing out")
    func wholeStrays() throws {
        #expect(throws: LogError.self) {
            try page([5, 7], from: 5, to: 7).check(after: 4, isWhole: true, for: .page)
        }
    }

    @Test("an event that somebody took out behind the log's back stops its readers")
    func torn() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                _ = try await running.log.append(request("a-1", .none, events: 3))
                let vandal = try await Connection.open(database.superuser)
                try await vandal.script(
                    "SET session_replication_role = replica; DELETE FROM log.event WHERE position = 2"
                )
                await vandal.close()
                let error = await #expect(throws: LogError.self) {
                    try await running.log.read(after: 0, through: nil, matching: .everything, limit: 10)
                }
                let isViolation = if case .violated = error { true } else { false }
                if !isViolation { Issue.record("\(String(describing: error))") }
            }
        }
    }
}
