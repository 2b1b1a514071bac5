internal import EventStore
internal import Kernel
internal import Postgres

/// The rows of some organizations while a rebuild folds them: the worker that owns them folds them in memory, and the
/// log is read once for all.
///
/// A stretch of events is folded in two steps, so that nothing of it counts before all workers are through.
actor FoldPartition<P: Projection> {
    private var rows: [String: P.Row] = [:]
    /// What is not in the table yet: the position of the last change; without a row it is gone.
    private var dirty: [String: Int64] = [:]
    private var pending = PageFold<P>()

    /// Decodes what is for these rows.
    ///
    /// - Returns: The keys whose rows are not at hand.
    func decode(
        _ events: [RecordedEvent],
        blocked: Set<Int64>,
        torn: Set<StreamName>,
        skipped: Set<Int64>
    ) -> [String] {
        pending = PageFold<P>(blocked: blocked, torn: torn, skipped: skipped)
        pending.decode(events)
        var missing: [String] = []
        for key in pending.keys {
            if let row = rows[key] { pending.rows[key] = row } else if dirty[key] == nil { missing.append(key) }
        }
        return missing
    }

    /// Folds over the rows at hand and those of the table.
    ///
    /// - Returns: What could not be folded, and the streams of what lacked a row.
    /// - Throws: ``PostgresError`` of kind `shape` when a document is no row.
    func fold(_ documents: [(String, String)]) throws(PostgresError) -> (poison: [Poison], lacking: Set<StreamName>) {
        try pending.load(documents)
        pending.run()
        return (pending.poisoned, pending.lacking)
    }

    /// Takes over what was folded.
    ///
    /// - Returns: How many rows are held now.
    func accept() -> Int {
        for (key, position) in pending.touched {
            rows[key] = pending.rows[key]
            dirty[key] = position
        }
        pending = PageFold<P>()
        return rows.count
    }

    /// What is to be written, as it is stored.
    ///
    /// - Throws: ``PostgresError`` of kind `shape` when a row is no JSON.
    func drain() throws(PostgresError) -> (rows: [StoredRow], gone: [String]) {
        var stored: [StoredRow] = []
        stored.reserveCapacity(dirty.count)
        var gone: [String] = []
        for (key, position) in dirty {
            guard let row = rows[key] else {
                gone.append(key)
                continue
            }
            stored.append(StoredRow(key: key, position: position, document: try PageFold<P>.document(of: row, key)))
        }
        return (stored, gone)
    }

    /// Notes that everything is in the table now; from there it can be had again.
    func written(keeping: Bool) {
        dirty = [:]
        if !keeping { rows = [:] }
    }
}

/// Which worker, or which slice, what belongs to an organization goes to: always the same one.
///
/// What belongs to nobody is one's as a whole, because an event that cannot be folded stops all of it.
package enum Slicing {
    package static func slice(of organization: Int64, among count: Int) -> Int {
        guard organization != 0, count > 1 else { return 0 }
        // The finalizer of SplitMix64: ids are made in order, and neighbours must part.
        var x = UInt64(bitPattern: organization)
        x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
        x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((x ^ (x >> 31)) % UInt64(count))
    }
}
