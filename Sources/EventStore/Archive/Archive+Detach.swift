internal import Postgres

extension Archive {
    /// Has readers use the file, and takes the partition out of the log.
    func detach(_ segment: Segment, on connection: isolated Connection) throws(ArchiveError) -> Segment {
        var segment = segment
        if segment.state == .kept {
            // Once more against the rows, for they are what goes.
            try prove(segment.file, segment.sha256, segment.first, segment.last, on: connection)
            try ArchiveError.asking { () throws(PostgresError) in try settle(segment, on: connection) }
            // Before the partition leaves: whoever misses events looks here for them.
            try ArchiveError.asking { () throws(PostgresError) in
                try connection.run(
                    "UPDATE log.segment SET state = 'archived', settled = true WHERE first_position = \(segment.first)"
                )
            }
            segment.state = .archived
            try probe(.archived)
        }
        try ArchiveError.asking { () throws(PostgresError) in try leave(segment, on: connection) }
        try probe(.detached)
        guard
            try ArchiveError.asking({ () throws(PostgresError) in try exists(segment.partition, on: connection) })
        else { return segment }
        try ArchiveError.filing { () throws(SegmentError) in try SegmentFile(segment, in: folder).verify() }
        try ArchiveError.asking { () throws(PostgresError) in
            try connection.run("DROP TABLE log.\(identifier: segment.partition)")
        }
        try probe(.dropped)
        return segment
    }

    /// Has the streams that end in the partition remember their versions themselves.
    ///
    /// Appends read a version from the newest event, and there will be none. The partition is full, so it is read without
    /// a lock; rows are changed in parts, each under the log lock: whoever held some without it could meet an append
    /// head-on. The disk is waited for when the segment is called settled.
    private func settle(_ segment: Segment, on connection: isolated Connection) throws(PostgresError) {
        var last: Int64 = 0
        while true {
            let part = try connection.run(
                """
                SELECT e.stream_id, max(e.version)
                  FROM log.\(identifier: segment.partition) AS e
                 WHERE e.stream_id > \(last)
                 GROUP BY e.stream_id
                 ORDER BY e.stream_id
                 LIMIT 500
                """
            ).all(Int64.self, Int64.self)
            guard let newest = part.last else { return }
            last = newest.0
            try connection.transaction { connection throws(PostgresError) in
                try connection.run("SET LOCAL synchronous_commit = off")
                try connection.run("SELECT pg_advisory_xact_lock(7203)")
                try connection.run(
                    """
                    UPDATE log.stream AS s
                       SET least_version = p.version
                      FROM unnest(\(array: part.map(\.0)), \(array: part.map(\.1))) AS p(stream_id, version)
                     WHERE s.stream_id = p.stream_id
                       AND s.end_position <= \(segment.last)
                       AND s.least_version < p.version
                    """
                )
            }
        }
    }

    /// Detaches without stalling anybody: it waits for the transactions that may still see the partition.
    private func leave(_ segment: Segment, on connection: isolated Connection) throws(PostgresError) {
        let leaving = try connection.run("SELECT leaving FROM log.partition WHERE name = \(segment.partition)")
            .column(Bool.self).first
        guard let leaving else { return }
        // A run that was ended while it waited has left the partition half-way out.
        try connection.run(
            """
            ALTER TABLE log.event
            DETACH PARTITION log.\(identifier: segment.partition) \(unsafe: leaving ? "FINALIZE" : "CONCURRENTLY")
            """
        )
    }

    private func exists(_ table: String, on connection: isolated Connection) throws(PostgresError) -> Bool {
        try connection.run("SELECT to_regclass('log.' || quote_ident(\(table))) IS NOT NULL").decode(0, Bool.self)
    }
}
