internal import Postgres

extension Archive {
    func erase(on connection: isolated Connection, _ positions: Set<Int64>) throws(ArchiveError) -> Int {
        try locked(on: connection, waiting: true) { () throws(ArchiveError) in
            var erased = 0
            for segment in try tidy(on: connection) {
                let here = positions.filter { (segment.first...segment.last).contains($0) }
                if !here.isEmpty { erased += try erase(here, in: segment, on: connection) }
            }
            return erased
        }
    }

    private func erase(
        _ positions: Set<Int64>,
        in segment: Segment,
        on connection: isolated Connection
    ) throws(ArchiveError) -> Int {
        let old = try ArchiveError.filing { () throws(SegmentError) in try SegmentFile(segment, in: folder) }
        var present = 0
        try ArchiveError.filing { () throws(SegmentError) in
            for position in positions {
                try old.events(in: position...position) { if $0.event.payload != nil { present += 1 } }
            }
        }
        guard present > 0 else { return 0 }
        let draft = "\(segment.partition).draft"
        let (digest, size) = try ArchiveError.filing { () throws(SegmentError) in
            let writer = try SegmentWriter(path: folder + "/" + draft, first: segment.first, last: segment.last)
            try old.events(in: segment.first...segment.last) { stored throws(SegmentError) in
                var stored = stored
                if positions.contains(stored.event.position) {
                    stored.event.payload = nil
                    stored.salt = nil
                }
                try writer.add(stored)
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
        try ArchiveError.asking { () throws(PostgresError) in
            try connection.run(
                """
                UPDATE log.segment
                   SET file = \(file), obsolete = \(segment.file), size = \(size), sha256 = \(digest),
                       written_at = clock_timestamp()
                 WHERE first_position = \(segment.first)
                """
            )
        }
        try probe(.announced)
        try Files.remove(segment.file, in: folder)
        try ArchiveError.asking { () throws(PostgresError) in
            try connection.run("UPDATE log.segment SET obsolete = NULL WHERE first_position = \(segment.first)")
        }
        return present
    }
}
