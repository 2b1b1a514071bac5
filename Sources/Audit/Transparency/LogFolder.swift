internal import FoundationEssentials
internal import Glibc

/// A log as files: `checkpoint`, `vkey`, `tile/…` and `tile/entries/…`, as C2SP tlog-tiles lays them out.
package struct LogFolder: TileReader {
    /// Why it cannot be written.
    package struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    private let path: String

    /// - Parameter path: Of the folder.
    package init(_ path: String) {
        self.path = path
    }

    /// Whether there is a log in the folder.
    package var exists: Bool { access(path + "/checkpoint", F_OK) == 0 }

    package func read(_ tile: Tile) async throws(TileError) -> [UInt8] {
        guard let bytes = bytes(tile.path) else { throw .missing(tile) }
        // The name of a file says how wide it is: anything behind that is not of the log.
        guard bytes.count <= tile.width * Hash.size else { throw .damaged(tile) }
        return bytes
    }

    /// Writes a log as it is sealed now; the checkpoint comes last.
    ///
    /// - Parameters:
    ///   - transparency: The log.
    ///   - progress: Is told how many files were written, and how many there will be.
    /// - Returns: The checkpoint; `nil` when nothing is signed yet, and then nothing is written.
    /// - Throws: ``AuditError``, or ``Failure`` when a file cannot be written.
    package func write(
        _ transparency: TransparencyLog,
        progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> Checkpoint? {
        guard let note = try await transparency.checkpoint() else { return nil }
        let checkpoint = try Checkpoint(unverified: SignedNote(note.utf8))
        if let bytes = bytes("checkpoint"), let old = try? Checkpoint(unverified: SignedNote(bytes)),
            old.origin != checkpoint.origin || old.size > checkpoint.size
        {
            throw Failure(description: "\(path) has a checkpoint of \(old.size) events of \(old.origin)")
        }
        let (tiles, bundles) = (Tile.all(in: checkpoint.size), EntryTile.all(in: checkpoint.size))
        var done = 0
        for tile in tiles {
            guard let bytes = try await transparency.tile(tile) else {
                throw AuditError.violated("\(tile.path) is missing")
            }
            try put(bytes, at: tile.path)
            done += 1
            progress(done, tiles.count + bundles.count)
        }
        for bundle in bundles {
            guard let bytes = try await transparency.entries(bundle) else {
                throw AuditError.violated("\(bundle.path) is missing")
            }
            try put(bytes, at: bundle.path)
            done += 1
            progress(done, tiles.count + bundles.count)
        }
        let keys = try await transparency.signers().filter(\.isCurrent).map { $0.vkey + "\n" }.joined()
        try put(Array(keys.utf8), at: "vkey")
        try put(Array(note.utf8), at: "checkpoint")
        return checkpoint
    }

    /// Holds everything that is in the folder against its checkpoint.
    ///
    /// - Parameters:
    ///   - pinned: Keys that the auditor trusts; `nil` takes those that are in the folder.
    ///   - progress: Is told how many events were looked at, and how many there are.
    /// - Returns: What was found.
    /// - Throws: ``AuditError`` when a file cannot be had.
    package func audit(
        trusting pinned: [VerifierKey]? = nil,
        progress: (Int64, Int64) -> Void = { _, _ in }
    ) async throws(AuditError) -> AuditReport {
        var report = AuditReport(trust: .unsigned)
        do throws(Stop) {
            guard let note = bytes("checkpoint") else { throw .failed(.unavailable("\(path) has no checkpoint")) }
            let own = pinned == nil ? VerifierKey.lines(String(decoding: bytes("vkey") ?? [], as: UTF8.self)) : []
            let checkpoint = try report.read(String(decoding: note, as: UTF8.self), pinned: pinned, own: own)
            var check = TreeCheck(self)
            for bundle in EntryTile.all(in: checkpoint.size) {
                for (index, entry) in zip(bundle.indices, try entries(bundle)) {
                    guard LeafEntry(entry)?.position == index + 1 else {
                        throw .found(Difference(position: index + 1, "the entry at position \(index + 1) is not one"))
                    }
                    if let difference = try await take(.leaf(entry), &check) { throw .found(difference) }
                }
                progress(bundle.indices.upperBound, checkpoint.size)
            }
            do throws(AuditError) {
                if let difference = try await check.finish(checkpoint) { report.found(difference) }
            } catch {
                throw .failed(error)
            }
        } catch {
            switch error {
            case .found(let difference): report.found(difference)
            case .failed(let failure): throw failure
            }
        }
        return report
    }

    private func take(_ leaf: Hash, _ check: inout TreeCheck<Self>) async throws(Stop) -> Difference? {
        do throws(AuditError) { return try await check.take(leaf) } catch { throw .failed(error) }
    }

    private func entries(_ bundle: EntryTile) throws(Stop) -> [[UInt8]] {
        guard let bytes = bytes(bundle.path), let entries = EntryBundle.entries(bytes), entries.count == bundle.width
        else {
            throw .found(Difference(position: bundle.indices.lowerBound + 1, "\(bundle.path) is missing or damaged"))
        }
        return entries
    }

    private func bytes(_ name: String) -> [UInt8]? {
        (try? Data(contentsOf: URL(filePath: path + "/" + name))).map { Array($0) }
    }

    /// Writes a file whole or not at all.
    private func put(_ bytes: [UInt8], at name: String) throws(Failure) {
        let file = path + "/" + name
        let folder = file.split(separator: "/").dropLast().reduce(into: file.hasPrefix("/") ? "/" : "") {
            $0 += $1 + "/"
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(filePath: file), options: .atomic)
        } catch {
            throw Failure(description: "\(file) cannot be written")
        }
    }
}

extension VerifierKey {
    /// The keys of a text with one on each line; what is none is left out.
    package static func lines(_ text: String) -> [VerifierKey] {
        text.split(whereSeparator: \.isNewline).compactMap { try? VerifierKey($0) }
    }
}
