import Domain
import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import Projections

/// How many events of each organization were folded: folded twice or left out, an event shows.
enum Counts: Projection {
    struct Row: Codable, Equatable, Sendable {
        var id: String
        var count: Int
    }

    /// Only what has a file can have tables; this one's columns fit.
    static let name = "rollouts"
    static let shape = 1
    static let reads = OrganizationEvent.types.union(InstanceEvent.types).union(SubscriptionEvent.types)

    static func key(of entry: Entry) -> String? { entry.record.organization.map { String($0.value) } }

    static func fold(into row: inout Row?, _ entry: Entry) {
        guard let id = key(of: entry) else { return }
        row = Row(id: id, count: (row?.count ?? 0) + 1)
    }
}

/// How many events there were, of whomever.
enum Total: Projection {
    static let name = "releases"
    static let shape = 1
    static let isShared = true
    static let reads = Counts.reads

    static func key(of entry: Entry) -> String? { "all" }

    static func fold(into row: inout Counts.Row?, _ entry: Entry) {
        row = Counts.Row(id: "all", count: (row?.count ?? 0) + 1)
    }
}

extension Stage {
    /// Runs `body` where the events of so many organizations are in the log, and nothing has counted them yet.
    static func counting(crowd: Int64, slices: Int = 4, _ body: (Stage, Story) async throws -> Void) async throws {
        let story = try Story.crowd(crowd)
        try await with { stage in
            try await stage.append(story.events)
            try await stage.runner("a", of: [Counts.self], slices: slices).prepare()
            try await body(stage, story)
        }
    }

    /// Erases one event's payload, as an operator would.
    @discardableResult
    func erase(_ position: Int64) async throws -> Int64 {
        let page = try await log.read(after: position - 1, through: position, matching: .everything, limit: 1)
        let event = try #require(page.events.first)
        let fact = ErasureEvent.payloadErased(
            .init(
                position: position,
                event: event.id,
                stream: event.stream.text,
                version: event.version,
                type: event.type,
                reason: "a test"
            )
        )
        let record = NewEvent(id: IDSource.system.unique(), type: fact.name.rawValue, payload: try fact.payload())
        let write = StreamWrite(
            StreamName(category: ErasureEvent.category, id: position),
            organization: event.organization,
            expecting: .none,
            events: [record]
        )
        let pool = Pool(conninfo: database.application, size: 1, role: "signalbox_append")
        let appended = try await PostgresEraser(pool: pool).erase(
            Erasure(positions: [position]),
            recording: AppendRequest(
                causation: Causation(actor: "system", command: IDSource.system.unique()),
                writes: [write]
            )
        )
        await pool.close()
        return appended.lastPosition
    }

    /// How many events of each organization the log has, without the erased ones.
    func counts() async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        let end = try await log.frontier()
        var at: Int64 = 0
        while at < end {
            let page = try await log.read(after: at, through: end, matching: .everything, limit: 1000)
            for event in page.events where Counts.reads.contains(event.type) && event.payload != nil {
                if let id = event.organization?.value { counts[String(id), default: 0] += 1 }
            }
            at = page.scannedTo
        }
        return counts
    }

    /// What is counted, by organization.
    func counted() async throws -> [String: Int] { try await rows(of: Counts.self).mapValues(\.count) }

    /// The page that follows a position, as a projection is fed with it.
    func page<P: Projection>(_: P.Type, after position: Int64, through end: Int64? = nil) async throws -> EventPage {
        try await log.read(
            after: position,
            through: end,
            matching: ProjectionRunner.filter(for: P.self),
            limit: 5000
        )
    }

    /// Where the slices of a build are.
    func positions(_ build: Build) async throws -> [Int64] {
        try await pool.with { connection throws(PostgresError) in try connection.positions(of: build, locking: false) }
    }
}
