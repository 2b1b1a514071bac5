package import Kernel
internal import Postgres

/// A partition of the log that was written to a file, as `log.segment` knows it.
package struct Segment: Sendable, Equatable {
    /// How far it is; the words are those of the table.
    package enum State: String, Sendable {
        /// The file may not be there yet, or not be whole.
        case writing
        /// The file was read back and proven; readers use the partition.
        case kept
        /// Readers use the file; the partition may be gone.
        case archived
    }

    package var first: Int64
    package var last: Int64
    /// The table it was.
    package var partition: String
    /// The file's name, without the folder.
    package var file: String
    /// A file that this one took the place of and that has to go.
    package var obsolete: String?
    /// In bytes.
    package var size: Int64
    package var sha256: [UInt8]
    package var state: State
    package var writtenAt: Timestamp
}

extension Connection {
    /// All segments, in order.
    func segments() throws(PostgresError) -> [Segment] {
        try segments(
            run(
                """
                SELECT first_position, last_position, partition_name, file, obsolete, size, sha256, state, written_at
                  FROM log.segment
                 ORDER BY first_position
                """
            )
        )
    }

    /// The segment with a position in it, if readers of that position use its file, and what was erased of it since the
    /// file was written: both as of one moment, or else a file might be read without what was just taken out of it.
    func archivedSegment(at position: Int64) throws(PostgresError) -> (segment: Segment, erased: Set<Int64>)? {
        let rows = try run(
            """
            SELECT s.first_position, s.last_position, s.partition_name, s.file, s.obsolete, s.size, s.sha256, s.state,
                   s.written_at,
                   ARRAY(
                        SELECT e.position
                          FROM log.segment_erasure AS e
                         WHERE e.position BETWEEN s.first_position AND s.last_position
                   )
              FROM log.segment AS s
             WHERE s.state = 'archived'
               AND s.first_position <= \(position)
               AND s.last_position >= \(position)
            """,
            prepared: true
        )
        guard let segment = try segments(rows).first else { return nil }
        return (segment, Set(try rows.array(Int64.self, row: 0, column: 9)))
    }

    private func segments(_ rows: borrowing Rows) throws(PostgresError) -> [Segment] {
        try rows.all(
            Int64.self,
            Int64.self,
            String.self,
            String.self,
            String?.self,
            Int64.self,
            [UInt8].self,
            String.self,
            Timestamp.self
        ).map { row throws(PostgresError) in
            guard let state = Segment.State(rawValue: row.7) else {
                throw PostgresError(.shape, message: "\(row.7) is no state of a segment")
            }
            return Segment(
                first: row.0,
                last: row.1,
                partition: row.2,
                file: row.3,
                obsolete: row.4,
                size: row.5,
                sha256: row.6,
                state: state,
                writtenAt: row.8
            )
        }
    }
}
