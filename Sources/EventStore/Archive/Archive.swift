internal import Kernel
package import Postgres

/// Moves whole partitions of the log into files, and keeps what was erased out of them.
///
/// It works over one connection as the owner of the log, on that connection's thread. A run that dies at any point is
/// completed by the next one: what is done is recorded in `log.segment`, each step before the one that relies on it.
package struct Archive: Sendable {
    /// What a run has just done, in this order for each partition; for tests that end it there.
    package enum Step: String, CaseIterable, Sendable {
        /// The file is whole, under a temporary name.
        case written
        /// The table knows the file's name.
        case announced
        /// The file has its name.
        case named
        /// The file was read back and proven, and the table says so.
        case kept
        /// Readers use the file from now on.
        case archived
        /// The partition is no part of the log any more.
        case detached
        /// The table is gone.
        case dropped
    }

    /// How far to archive: partitions that are in it whole.
    package enum Extent: Sendable {
        case through(Int64)
        /// Whose last event is older than this.
        case olderThan(Duration)
    }

    /// Keeps two runs apart.
    static let lock = "7207"

    let connection: Connection
    let folder: String
    let probe: @Sendable (Step) throws(ArchiveError) -> Void

    /// An archive in a folder.
    ///
    /// - Parameters:
    ///   - connection: As `signalbox_owner`, without limits on its statements: detaching waits for everybody's old
    ///     transactions.
    ///   - folder: Where all the files are, of this run and of those before; it must exist.
    ///   - probe: Is told of each step; what it throws ends the run.
    package init(
        connection: Connection,
        folder: String,
        probe: @escaping @Sendable (Step) throws(ArchiveError) -> Void = { _ in }
    ) {
        self.connection = connection
        self.folder = folder
        self.probe = probe
    }

    /// Writes partitions to files, oldest first, and takes them out of the database if asked.
    ///
    /// - Parameters:
    ///   - extent: How far.
    ///   - detach: Whether the partitions are taken out of the log and dropped, once their files are proven.
    ///   - unsealed: Whether to take what no checkpoint of the transparency log covers.
    /// - Returns: The segments within the extent.
    /// - Throws: ``ArchiveError``; running it again goes on where it ended.
    package func archive(
        _ extent: Extent,
        detach: Bool = false,
        unsealed: Bool = false
    ) async throws(ArchiveError) -> [Segment] {
        try await archive(on: connection, extent, detach: detach, unsealed: unsealed)
    }

    /// Takes out of the files what was erased since they were written; readers see it as erased meanwhile.
    ///
    /// Each file is written anew without it, proven, and takes the place of the old one, which is removed.
    ///
    /// - Returns: How many events' payloads were taken out.
    /// - Throws: ``ArchiveError``; running it again goes on where it ended.
    package func purge() async throws(ArchiveError) -> Int {
        try await purge(on: connection)
    }

    /// All segments, in order.
    package func segments() async throws(ArchiveError) -> [Segment] {
        try await segments(on: connection)
    }

    /// Reads a segment's file from end to end and proves it: its SHA-256, every leaf, every payload, its index.
    package func check(_ segment: Segment) async throws(ArchiveError) {
        try await check(on: connection, segment)
    }
}

extension Archive {
    private func segments(on connection: isolated Connection) throws(ArchiveError) -> [Segment] {
        try ArchiveError.asking { () throws(PostgresError) in try connection.segments() }
    }

    private func check(on connection: isolated Connection, _ segment: Segment) throws(ArchiveError) {
        try ArchiveError.filing { () throws(SegmentError) in try SegmentFile(segment, in: folder).verify() }
    }

    /// Runs `body` while no other run does anything.
    func locked<Value>(
        on connection: isolated Connection,
        _ body: () throws(ArchiveError) -> Value
    ) throws(ArchiveError) -> Value {
        let isAlone = try ArchiveError.asking { () throws(PostgresError) in
            try connection.run("SELECT pg_try_advisory_lock(\(unsafe: Self.lock))").decode(0, Bool.self)
        }
        guard isAlone else { throw .refused("somebody else works on the archive now") }
        let outcome: Result<Value, ArchiveError>
        do throws(ArchiveError) { outcome = .success(try body()) } catch { outcome = .failure(error) }
        // A session that is gone has no lock.
        _ = try? connection.run("SELECT pg_advisory_unlock(\(unsafe: Self.lock))")
        return try outcome.get()
    }

    /// Goes on where a run ended that died: nothing is left that is not in the table.
    func tidy(on connection: isolated Connection) throws(ArchiveError) -> [Segment] {
        var segments = try segments(on: connection)
        for segment in segments {
            if let obsolete = segment.obsolete {
                try Files.remove(obsolete, in: folder)
                try ArchiveError.asking { () throws(PostgresError) in
                    try connection.run(
                        "UPDATE log.segment SET obsolete = NULL WHERE first_position = \(segment.first)"
                    )
                }
            }
            guard segment.state == .writing else { continue }
            try Files.remove(segment.file, in: folder)
            try ArchiveError.asking { () throws(PostgresError) in
                try connection.run("DELETE FROM log.segment WHERE first_position = \(segment.first)")
            }
        }
        segments.removeAll { $0.state == .writing }
        for segment in segments where !Files.exist(segment.file, in: folder, size: segment.size) {
            throw .refused(
                "\(segment.file) is not in \(folder), or not whole: all files of the archive are kept in one folder"
            )
        }
        return segments
    }
}

extension SegmentFile {
    /// Opens the file of a segment, which must be the one that was recorded.
    convenience init(_ segment: Segment, in folder: String) throws(SegmentError) {
        try self.init(segment.file, in: folder)
        guard digest == segment.sha256, first == segment.first, last == segment.last, size == segment.size else {
            throw .damaged("\(segment.file) is not the file that was archived")
        }
    }
}
