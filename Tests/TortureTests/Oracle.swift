import Kernel
import Postgres
import SignalboxTestKit
import Synchronization

/// Holds what was acknowledged and what was shown against what the log has.
final class Oracle: Sendable {
    private let database: TestDatabase
    private let ledger: Ledger
    private let shown: Shown
    private let checked = Mutex<(lanes: [String: Int], shown: Int)>(([:], 0))

    init(_ database: TestDatabase, ledger: Ledger, shown: Shown) {
        self.database = database
        self.ledger = ledger
        self.shown = shown
    }

    /// Looks at what came since the last time, so that a loss is found in the cycle that caused it.
    func check() async throws -> (lost: Int, phantom: Int) {
        let (lanes, count) = checked.withLock { $0 }
        let positions = ledger.positions(after: lanes)
        let ids = shown.ids(after: count)
        let found = try await compare(positions, ids)
        checked.withLock { checked in
            for (lane, positions) in positions { checked.lanes[lane] = positions.endIndex }
            checked.shown = ids.endIndex
        }
        return found
    }

    /// Looks at everything.
    func judge(_ verdict: inout Verdict, cycles: Int) async throws {
        let found = try await compare(ledger.positions(after: [:]), shown.ids(after: 0))
        let connection = try await Connection.open(database.superuser)
        let (events, holes, twice, misplaced, halves) = try await connection.run(
            """
            SELECT count(*),
                   coalesce(max(e.position), 0) - count(*),
                   count(*) - count(DISTINCT e.event_id),
                   count(*) FILTER (WHERE s.category = 'lane'
                                      AND (convert_from(e.payload, 'UTF8')::jsonb->>'n')::bigint <> e.version),
                   count(*) FILTER (WHERE s.category = 'lane' AND e.version % 5 = 0)
                   - count(*) FILTER (WHERE s.category = 'shared')
              FROM log.event AS e
              JOIN log.stream AS s ON s.stream_id = e.stream_id
            """
        ).decode(0, Int64.self, Int64.self, Int64.self, Int64.self, Int64.self)
        await connection.close()
        verdict.cycles = cycles
        verdict.events = Int(events)
        verdict.acknowledged = ledger.total
        verdict.lost = found.lost
        verdict.duplicated = Int(twice + misplaced)
        verdict.skipped = Int(holes) + shown.skipped + Int(abs(halves))
        verdict.phantom = found.phantom + shown.changed
        verdict.stall = ledger.stall
    }

    private func compare(
        _ positions: [String: ArraySlice<Int64>],
        _ ids: ArraySlice<UniqueID>
    ) async throws -> (lost: Int, phantom: Int) {
        var acknowledged = BinaryRows()
        for (lane, positions) in positions {
            for (index, position) in zip(positions.indices, positions) {
                acknowledged.add("lane-\(lane)", Int64(index + 1), position)
            }
        }
        var seen = BinaryRows()
        for (index, id) in zip(ids.indices, ids) { seen.add(Int64(index + 1), id) }
        let connection = try await Connection.open(database.superuser)
        try await connection.script(
            """
            CREATE TEMPORARY TABLE acknowledged (stream text, version bigint, position bigint);
            CREATE TEMPORARY TABLE seen (position bigint, event_id uuid)
            """
        )
        try await connection.copyIn("COPY acknowledged FROM STDIN (FORMAT binary)", acknowledged)
        try await connection.copyIn("COPY seen FROM STDIN (FORMAT binary)", seen)
        let (lost, phantom) = try await connection.run(
            """
            SELECT (SELECT count(*)
                      FROM acknowledged AS a
                      LEFT JOIN log.stream AS s ON s.name = a.stream
                      LEFT JOIN log.event AS e ON e.position = a.position
                     WHERE (e.stream_id = s.stream_id AND e.version = a.version) IS NOT TRUE),
                   (SELECT count(*)
                      FROM seen AS a
                      LEFT JOIN log.event AS e ON e.position = a.position
                     WHERE (e.event_id = a.event_id) IS NOT TRUE)
            """
        ).decode(0, Int64.self, Int64.self)
        await connection.close()
        return (Int(lost), Int(phantom))
    }
}
