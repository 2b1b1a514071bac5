internal import Postgres

extension Archive {
    /// Has readers use the file, and takes the partition out of the log.
    func detach(_ segment: Segment, on connection: isolated Connection) throws(ArchiveError) -> Segment {
        var segment = segment
        if segment.state == .kept {
            // Once more against the rows, for they are what goes.
            try prove(segment.file, segment.sha256, segment.first, segment.last, on: connection)
            // Before the partition leaves: whoever misses events looks here for them.
            try ArchiveError.asking { () throws(PostgresError) in
                try connection.run("UPDATE log.segment SET state = 'archived' WHERE first_position = \(segment.first)")
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
