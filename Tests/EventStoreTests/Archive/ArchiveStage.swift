import FoundationEssentials
import Kernel
import Postgres
import SignalboxTestKit

@testable import EventStore

/// A log whose partitions hold few positions, and a folder for its archive.
struct ArchiveStage {
    let database: TestDatabase
    let running: RunningLog
    let folder: String

    var log: PostgresLog { running.log }

    /// Runs `body` with a log of so many events, seven to a request, on streams `a-0` to `a-8` in turn.
    static func with(
        width: Int64 = 300,
        events: Int = 700,
        _ body: (ArchiveStage) async throws -> Void
    ) async throws {
        try await withDatabase { database in
            try await withFolder { folder in
                try await resize(database, width: width)
                try await withLog(in: database, archive: folder) { running in
                    let stage = ArchiveStage(database: database, running: running, folder: folder)
                    try await stage.grow(by: events)
                    try await body(stage)
                }
            }
        }
    }

    /// Makes the partitions of an empty log hold so many positions each.
    static func resize(_ database: TestDatabase, width: Int64) async throws {
        let owner = try await Connection.open(database.owner)
        for number in 0...2 { try await owner.script("DROP TABLE log.event_\(number)") }
        try await owner.run("UPDATE log.head SET partition_width = \(width)")
        try await owner.run("SELECT log.ensure_partitions()")
        await owner.close()
    }

    /// Appends, with partitions made in time.
    func grow(by events: Int) async throws {
        for number in 0..<events / 7 {
            try await partition()
            let batch = (0..<7).map { event("thing.number-\($0)", #"{"secret":"payload \#(number)-\#($0)"}"#) }
            _ = try await log.append(request([StreamWrite(stream("a-\(number % 9)"), expecting: .any, events: batch)]))
        }
    }

    /// Makes partitions in time.
    func partition() async throws {
        try await running.pool.with { connection throws(PostgresError) in
            _ = try connection.run("SELECT log.ensure_partitions()")
        }
    }

    /// Runs `body` with an archive in the folder.
    func archive<Value>(
        in folder: String? = nil,
        probe: @escaping @Sendable (Archive.Step) throws(ArchiveError) -> Void = { _ in },
        _ body: (Archive) async throws -> Value
    ) async throws -> Value {
        let limits = SessionLimits(statement: nil, idleInTransaction: nil)
        let connection = try await Connection.open(database.owner, limits: limits)
        let outcome: Result<Value, any Error>
        do {
            let archive = Archive(connection: connection, folder: folder ?? self.folder, probe: probe)
            outcome = .success(try await body(archive))
        } catch {
            outcome = .failure(error)
        }
        await connection.close()
        return try outcome.get()
    }

    /// Archives and takes out of the database.
    @discardableResult
    func detach(through position: Int64) async throws -> [Segment] {
        try await archive { try await $0.archive(.through(position), detach: true, unsealed: true) }
    }

    /// Everything that readers may read, in all the ways they have.
    func readings() async throws -> Readings {
        var readings = Readings()
        while true {
            let after = readings.rows.last?.event.position ?? 0
            let rows = try await log.stored(after: after, limit: 128)
            if rows.isEmpty { break }
            readings.rows += rows
        }
        for filter in [
            .everything, EventFilter(types: ["thing.number-3"]), EventFilter(stream: stream("a-2")),
        ] as [EventFilter] {
            var found: [RecordedEvent] = []
            var position: Int64 = 0
            while true {
                let page = try await log.read(after: position, through: nil, matching: filter, limit: 100)
                guard page.scannedFrom == position + 1 else { break }
                found += page.events
                if page.scannedTo == position { break }
                position = page.scannedTo
            }
            readings.pages.append(found)
        }
        for number in 0..<9 {
            for limit in [10, 1000] {
                var found: [RecordedEvent] = []
                while true {
                    let page = try await log.read(stream("a-\(number)"), after: Int64(found.count), limit: limit)
                    found += page
                    if page.count < limit { break }
                }
                readings.streams.append(found)
            }
        }
        for position in [1, 255, 300, 301, 700] as [Int64] { readings.leaves.append(try await log.leaf(at: position)) }
        return readings
    }

    var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
    }

    func partitions() async throws -> [String] {
        try await running.pool.with { connection throws(PostgresError) in
            try connection.run(
                "SELECT relname::text FROM pg_class WHERE relname ~ '^event_[0-9]+$' ORDER BY relname"
            ).column(String.self)
        }
    }
}

/// What a log gave its readers.
struct Readings: Equatable {
    var rows: [StoredEvent] = []
    var pages: [[RecordedEvent]] = []
    var streams: [[RecordedEvent]] = []
    var leaves: [[UInt8]?] = []
}

/// Runs `body` with an empty folder, and removes it.
func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let manager = FileManager.default
    let path = manager.temporaryDirectory.path(percentEncoded: false) + "archive-\(IDSource.system.unique())"
    try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? manager.removeItem(atPath: path) }
    return try await body(path)
}
