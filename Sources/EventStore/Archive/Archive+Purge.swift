internal import Postgres

extension Archive {
    func purge(on connection: isolated Connection) throws(ArchiveError) -> Int {
        try locked(on: connection) { () throws(ArchiveError) in
            try purge(try tidy(on: connection), on: connection)
        }
    }

    /// Takes out of the files of these segments what was erased.
    func purge(_ segments: [Segment], on connection: isolated Connection) throws(ArchiveError) -> Int {
        var purged = 0
        for segment in segments {
            let erased = try ArchiveError.asking { () throws(PostgresError) in
                try connection.erasures(from: segment.first, through: segment.last)
            }
            guard !erased.isEmpty else { continue }
            try purge(erased, from: segment, on: connection)
            purged += erased.count
        }
        return purged
    }

    private func purge(
        _ positions: Set<Int64>,
        from segment: Segment,
        on connection: isolated Connection
    ) throws(ArchiveError) {
        let draft = "\(segment.partition).draft"
        let (digest, size) = try ArchiveError.filing { () throws(SegmentError) in
            let old = try SegmentFile(segment, in: folder)
            let writer = try SegmentWriter(path: folder + "/" + draft, first: segment.first, last: segment.last)
            try old.events(in: segment.first...segment.last) { stored throws(SegmentError) in
                try writer.add(positions.contains(stored.event.position) ? stored.erased : stored)
            }
            try writer.endEvents()
            try old.streams { stream, version, positions throws(SegmentError) in
                try writer.add(stream, version: version, positions: positions)
            }
            return try writer.finish()
        }
        try probe(.written)
        let file = Self.name(segment.first, segment.last, digest)
        try Files.rename(draft, to: file, in: folder)
        try probe(.named)
        try ArchiveError.filing { () throws(SegmentError) in try SegmentFile(file, in: folder).verify() }
        // The old file is known until it is gone.
        try ArchiveError.asking { () throws(PostgresError) in
            try connection.run(
                """
                WITH purged AS (DELETE FROM log.segment_erasure WHERE position = ANY (\(array: Array(positions))))
                UPDATE log.segment
                   SET file = \(file), obsolete = nullif(file, \(file)), size = \(size), sha256 = \(digest),
                       written_at = clock_timestamp()
                 WHERE first_position = \(segment.first)
                """
            )
        }
        try probe(.announced)
        _ = try tidy(on: connection)
    }
}

extension Connection {
    /// Positions in a range that were erased and still lie in a file.
    func erasures(from first: Int64, through last: Int64) throws(PostgresError) -> Set<Int64> {
        Set(
            try run(
                "SELECT position FROM log.segment_erasure WHERE position BETWEEN \(first) AND \(last)",
                prepared: true
            ).column(Int64.self)
        )
    }
}

extension StoredEvent {
    /// Without its payload and salt, as `log.erase` leaves it.
    var erased: StoredEvent {
        var copy = self
        copy.event.payload = nil
        copy.salt = nil
        return copy
    }
}
