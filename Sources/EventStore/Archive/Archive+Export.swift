internal import Kernel
internal import Postgres

/// A partition that lies within what is to be archived.
struct Partition {
    var name: String
    var first: Int64
    var last: Int64
}

extension Archive {
    /// How many events are read at a time.
    private static let page: Int64 = 2000

    func archive(
        on connection: isolated Connection,
        _ extent: Extent,
        detach: Bool,
        unsealed: Bool
    ) throws(ArchiveError) -> [Segment] {
        try locked(on: connection) { () throws(ArchiveError) in
            var known = try tidy(on: connection)
            if try purge(known, on: connection) > 0 { known = try tidy(on: connection) }
            let wanted = try partitions(on: connection, within: extent)
            let end = max(wanted.last?.last ?? 0, try reach(of: extent, among: known, on: connection))
            if !unsealed, let last = wanted.last { try refuseUnsealed(through: last.last, on: connection) }
            var next = (known.last?.last ?? 0) + 1
            for partition in wanted where !known.contains(where: { $0.first == partition.first }) {
                guard partition.first == next else {
                    throw .refused("positions \(next) to \(partition.first - 1) are in no partition and in no file")
                }
                try export(partition, on: connection)
                next = partition.last + 1
            }
            let segments = try ArchiveError.asking { () throws(PostgresError) in try connection.segments() }
                .filter { $0.last <= end }
            guard detach else { return segments }
            return try segments.map { segment throws(ArchiveError) in try self.detach(segment, on: connection) }
        }
    }

    /// The partitions that may be archived, in order.
    ///
    /// The one with the newest event never is: new positions follow it.
    private func partitions(
        on connection: isolated Connection,
        within extent: Extent
    ) throws(ArchiveError) -> [Partition] {
        let (through, age): (Int64?, Double?) =
            switch extent {
            case .through(let position): (position, nil)
            case .olderThan(let age): (nil, Double(age.microseconds) / 1_000_000)
            }
        return try ArchiveError.asking { () throws(PostgresError) in
            try connection.run(
                """
                SELECT p.name, p.first_position, p.last_position
                  FROM log.partition AS p
                  JOIN log.event AS e ON e.position = p.last_position
                 WHERE NOT p.leaving
                   AND p.last_position < (SELECT max(n.position) FROM log.event AS n)
                   AND p.last_position <= coalesce(\(through), p.last_position)
                   AND (\(age)::double precision IS NULL
                        OR e.recorded_at < statement_timestamp() - make_interval(secs => \(age)))
                 ORDER BY p.first_position
                """
            ).all(String.self, Int64.self, Int64.self).map { Partition(name: $0.0, first: $0.1, last: $0.2) }
        }
    }

    /// How far the extent reaches into what was archived before, where partitions may be gone.
    private func reach(
        of extent: Extent,
        among known: [Segment],
        on connection: isolated Connection
    ) throws(ArchiveError) -> Int64 {
        switch extent {
        case .through(let position):
            return position
        case .olderThan(let age):
            var end: Int64 = 0
            let now = try ArchiveError.asking { () throws(PostgresError) in
                try connection.run("SELECT statement_timestamp()").decode(0, Timestamp.self)
            }
            for segment in known {
                try ArchiveError.filing { () throws(SegmentError) in
                    try SegmentFile(segment, in: folder).events(in: segment.last...segment.last) { stored in
                        if now - stored.event.recordedAt > age { end = segment.last }
                    }
                }
            }
            return end
        }
    }

    private func refuseUnsealed(through last: Int64, on connection: isolated Connection) throws(ArchiveError) {
        let sealed = try ArchiveError.asking { () throws(PostgresError) in
            try connection.run(
                """
                SELECT coalesce(max(c.size), 0)
                  FROM log.checkpoint AS c
                  JOIN log.head AS h ON h.incarnation = c.epoch
                 WHERE c.note IS NOT NULL
                """
            ).decode(0, Int64.self)
        }
        guard sealed >= last else {
            throw .refused("the transparency log is sealed up to \(sealed), and not up to \(last)")
        }
    }

    // MARK: Writing

    private func export(_ partition: Partition, on connection: isolated Connection) throws(ArchiveError) {
        let draft = "\(partition.name).draft"
        let (digest, size) = try write(draft, partition, on: connection)
        try probe(.written)
        let file = Self.name(partition.first, partition.last, digest)
        // From here on the name is known to whoever goes on after us, so that no file is ever left that nobody knows.
        try ArchiveError.asking { () throws(PostgresError) in
            try connection.run(
                """
                INSERT INTO log.segment (first_position, last_position, partition_name, file, size, sha256, state)
                VALUES (\(partition.first), \(partition.last), \(partition.name), \(file), \(size), \(digest), 'writing')
                """
            )
        }
        try probe(.announced)
        try Files.rename(draft, to: file, in: folder)
        try probe(.named)
        try prove(file, digest, partition.first, partition.last, on: connection)
        try ArchiveError.asking { () throws(PostgresError) in
            try connection.run("UPDATE log.segment SET state = 'kept' WHERE first_position = \(partition.first)")
        }
        try probe(.kept)
    }

    /// Sorts by position, and never means another content than before.
    static func name(_ first: Int64, _ last: Int64, _ digest: [UInt8]) -> String {
        func padded(_ position: Int64) -> String {
            let text = String(position)
            return String(repeating: "0", count: max(0, 12 - text.count)) + text
        }
        return "events-\(padded(first))-\(padded(last))-\(digest.prefix(8).map(Hex.text).joined()).segment"
    }

    private func write(
        _ draft: String,
        _ partition: Partition,
        on connection: isolated Connection
    ) throws(ArchiveError) -> (digest: [UInt8], size: Int64) {
        let writer = try ArchiveError.filing { () throws(SegmentError) in
            try SegmentWriter(path: folder + "/" + draft, first: partition.first, last: partition.last)
        }
        var position = partition.first - 1
        while position < partition.last {
            let events = try rows(after: position, through: min(partition.last, position + Self.page), on: connection)
            try ArchiveError.filing { () throws(SegmentError) in
                for event in events { try writer.add(event) }
            }
            position += Int64(events.count)
        }
        try ArchiveError.filing { () throws(SegmentError) in try writer.endEvents() }
        try index(partition, into: writer, on: connection)
        return try ArchiveError.filing { () throws(SegmentError) in try writer.finish() }
    }

    /// Postgres sorts, on its disk: a partition has more streams than we want to hold.
    private func index(
        _ partition: Partition,
        into writer: SegmentWriter,
        on connection: isolated Connection
    ) throws(ArchiveError) {
        try ArchiveError.asking { () throws(PostgresError) in
            try connection.script("BEGIN")
            try connection.run(
                """
                DECLARE by_stream CURSOR FOR
                SELECT s.name, e.version, e.position
                  FROM log.event AS e
                  JOIN log.stream AS s USING (stream_id)
                 WHERE e.position BETWEEN \(unsafe: String(partition.first)) AND \(unsafe: String(partition.last))
                 ORDER BY s.name COLLATE "C", e.version
                """
            )
        }
        var entry: (stream: StreamName, version: Int64, positions: [Int64])?
        while true {
            let rows = try ArchiveError.asking { () throws(PostgresError) in
                try connection.run("FETCH 5000 FROM by_stream").all(String.self, Int64.self, Int64.self)
            }
            if rows.isEmpty { break }
            for (name, version, position) in rows {
                if entry?.stream.text == name {
                    entry?.positions.append(position)
                    continue
                }
                if let entry { try add(entry, to: writer) }
                guard let stream = StreamName(name) else { throw .refused("\(name) is not a stream name") }
                entry = (stream, version, [position])
            }
        }
        if let entry { try add(entry, to: writer) }
        try ArchiveError.asking { () throws(PostgresError) in try connection.script("COMMIT") }
    }

    private func add(
        _ entry: (stream: StreamName, version: Int64, positions: [Int64]),
        to writer: SegmentWriter
    ) throws(ArchiveError) {
        try ArchiveError.filing { () throws(SegmentError) in
            try writer.add(entry.stream, version: entry.version, positions: entry.positions)
        }
    }

    // MARK: Proving

    /// Reads a file from the disk and proves it, also against the rows of the partition it was made from.
    func prove(
        _ file: String,
        _ digest: [UInt8],
        _ first: Int64,
        _ last: Int64,
        on connection: isolated Connection
    ) throws(ArchiveError) {
        let segment = try ArchiveError.filing { () throws(SegmentError) in try SegmentFile(file, in: folder) }
        guard segment.digest == digest, segment.first == first, segment.last == last else {
            throw .file(.damaged("\(file) is not the file that was written"))
        }
        try ArchiveError.filing { () throws(SegmentError) in try segment.verify() }
        var position = first - 1
        while position < last {
            let rows = try rows(after: position, through: min(last, position + Self.page), on: connection)
            var kept: [StoredEvent] = []
            try ArchiveError.filing { () throws(SegmentError) in
                try segment.events(in: position + 1...position + Int64(rows.count)) { event in kept.append(event) }
            }
            guard rows == kept else {
                let different = zip(rows, kept).first { $0 != $1 }?.0.event.position ?? position + 1
                throw .refused(
                    "\(file) and the log differ at \(different), which was erased meanwhile or is damaged; run it again"
                )
            }
            position += Int64(rows.count)
        }
    }

    /// The next rows of a partition; big ones come a few at a time.
    private func rows(
        after position: Int64,
        through end: Int64,
        on connection: isolated Connection
    ) throws(ArchiveError) -> [StoredEvent] {
        let rows = try ArchiveError.asking { () throws(PostgresError) in
            try connection.storedEvents(after: position, through: end)
        }
        guard rows.first?.event.position == position + 1, rows.last?.event.position == position + Int64(rows.count)
        else {
            throw .refused("position \(position + 1) is missing from the log, or one soon after it")
        }
        return rows
    }
}
