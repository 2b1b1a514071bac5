internal import Postgres
internal import Synchronization

/// Reads what was archived out of the files in a folder, for a ``PostgresLog``.
final class ArchiveReader: Sendable {
    /// How many files are held open.
    private static let most = 16

    private let folder: String?
    private let files = Mutex<[String: SegmentFile]>([:])

    /// - Parameter folder: Where the files are; `nil` when nobody said.
    init(folder: String?) {
        self.folder = folder
    }

    /// The file of a segment, as the table knows it now; a file whose place another took is not read any more.
    private func file(of segment: Segment) throws(SegmentError) -> SegmentFile {
        guard let folder else {
            throw .missing(
                "positions \(segment.first) to \(segment.last) were archived, and SIGNALBOX_ARCHIVE does not say where"
            )
        }
        if let open = files.withLock({ $0[segment.file] }) { return open }
        let file = try SegmentFile(segment, in: folder)
        files.withLock { files in
            files = files.filter { $1.first != file.first }
            if files.count >= Self.most, let any = files.keys.first { files[any] = nil }
            files[segment.file] = file
        }
        return file
    }

    /// The rows of a stretch of the log that begins in the archive, up to the end of the file it begins in.
    ///
    /// - Parameters:
    ///   - position: The last position the reader has.
    ///   - end: Nothing above it is read.
    ///   - filter: Which events are wanted.
    ///   - connection: To the log.
    /// - Returns: The rows and how far was looked; `nil` when the position after is in the database.
    /// - Throws: What Postgres says.
    func rows(
        after position: Int64,
        through end: Int64,
        matching filter: EventFilter,
        on connection: isolated Connection
    ) throws(PostgresError) -> Result<(rows: [StoredEvent], end: Int64), SegmentError>? {
        guard end > position, let (segment, erased) = try connection.archivedSegment(at: position + 1) else {
            return nil
        }
        let end = min(end, segment.last)
        do throws(SegmentError) {
            let file = try file(of: segment)
            var rows: [StoredEvent] = []
            try file.events(in: position + 1...end) { stored in
                guard filter.matches(stored.event) else { return }
                rows.append(erased.contains(stored.event.position) ? stored.erased : stored)
            }
            return .success((rows, end))
        } catch {
            return .failure(error)
        }
    }

    /// Events of a stream that are in the archive.
    ///
    /// - Parameters:
    ///   - stream: Its name.
    ///   - version: Only events with a higher version.
    ///   - limit: How many, at most.
    ///   - connection: To the log.
    /// - Returns: Those from that version on up to the first that is in the database; `nil` when the stream has none.
    /// - Throws: What Postgres says.
    func events(
        of stream: StreamName,
        after version: Int64,
        limit: Int,
        on connection: isolated Connection
    ) throws(PostgresError) -> Result<[RecordedEvent]?, SegmentError> {
        let first = try connection.run(
            "SELECT first_position FROM log.stream_head WHERE name = \(stream.text) AND version > \(version)",
            prepared: true
        ).column(Int64?.self).first
        guard let first, var position = first else { return .success(nil) }
        var events: [RecordedEvent] = []
        while events.count < limit, let (segment, erased) = try connection.archivedSegment(at: position) {
            do throws(SegmentError) {
                let known = version + Int64(events.count)
                events += try file(of: segment).events(of: stream, after: known, limit: limit - events.count)
                    .map { (erased.contains($0.event.position) ? $0.erased : $0).event }
            } catch {
                return .failure(error)
            }
            position = segment.last + 1
        }
        return .success(events)
    }
}
