internal import FoundationEssentials
internal import Glibc

/// The newest signed checkpoint outside of the database, in the file `checkpoint` of a folder.
///
/// It is what a database that lost its end is told from: it is written before a checkpoint is published, and read before
/// the next one is signed.
package struct CheckpointFolder: Sendable {
    /// Where it is.
    package let path: String

    /// - Parameter path: Of a folder that exists, on another disk than the database's if there is one.
    package init(_ path: String) {
        self.path = path
    }

    private var file: String { path + "/checkpoint" }

    /// The checkpoint that is kept; `nil` when there is none yet.
    ///
    /// - Throws: ``AuditError``; `refused` when the file is something else.
    package func newest() throws(AuditError) -> Checkpoint? {
        guard let note = try newestNote() else { return nil }
        do { return try Checkpoint(unverified: note) } catch { throw .refused(.unreadable(file)) }
    }

    /// The checkpoint that is kept, as it was signed; `nil` when there is none yet.
    ///
    /// - Throws: ``AuditError``; `refused` when the file is something else.
    package func newestNote() throws(AuditError) -> SignedNote? {
        guard access(file, F_OK) == 0 else {
            guard errno == ENOENT, access(path, X_OK) == 0 else {
                throw .unavailable("\(path) is not a folder that can be read")
            }
            return nil
        }
        guard let data = try? Data(contentsOf: URL(filePath: file)) else {
            throw .unavailable("\(file) cannot be read")
        }
        do { return try SignedNote(data) } catch { throw .refused(.unreadable(file)) }
    }

    /// Holds a tree against the checkpoint that is kept.
    ///
    /// - Parameters:
    ///   - head: Where the tree ends.
    ///   - tiles: Its hashes.
    ///   - origin: What the log is called.
    /// - Throws: ``AuditError``; `refused` when what is kept is not the beginning of this tree.
    package func compare(
        _ head: TreeHead,
        of tiles: some TileReader,
        origin: Origin
    ) async throws(AuditError) {
        guard let outside = try newest() else { return }
        guard let epoch = origin.epoch(of: outside.origin) else { throw .refused(.otherLog(outside.origin)) }
        guard epoch <= head.epoch else { throw .refused(.laterEpoch(outside: epoch, here: head.epoch)) }
        // An operator has ended that epoch.
        guard epoch == head.epoch else { return }
        guard outside.size <= head.size else {
            throw .refused(.ahead(outside: outside.size, here: head.size))
        }
        var root = head.root
        if outside.size < head.size {
            do throws(TileError) {
                root = try await MerkleTree(size: outside.size, reading: tiles).root()
            } catch {
                throw AuditError(error)
            }
        }
        guard root == outside.root else { throw .refused(.forked(size: outside.size)) }
    }

    /// Holds the folder against what the database has published: a folder that was emptied cannot tell a database that
    /// lost its end from one that did not.
    ///
    /// Every checkpoint is kept here before it is published, so what is published is never ahead.
    ///
    /// - Parameters:
    ///   - signed: The newest published checkpoint of the present epoch; of size 0 when there is none.
    ///   - origin: What the log is called.
    /// - Throws: ``AuditError``; `refused` when the kept checkpoint is not as new.
    package func requireKept(_ signed: TreeHead, origin: Origin) throws(AuditError) {
        guard signed.size > 0 else { return }
        let outside = try newest()
        let isOfEpoch = outside.flatMap { origin.epoch(of: $0.origin) }.map { $0 >= signed.epoch } ?? false
        let size = isOfEpoch ? outside?.size ?? 0 : 0
        guard size >= signed.size else { throw .refused(.folderBehind(outside: size, signed: signed.size)) }
    }

    /// Keeps a checkpoint instead of an older one; when this returns it is on disk.
    ///
    /// The last one of an earlier epoch stays beside it, as `checkpoint.epoch-{n}`.
    ///
    /// - Parameters:
    ///   - note: Signed.
    ///   - head: What it says.
    ///   - origin: What the log is called.
    /// - Throws: ``AuditError``; `refused` when a newer one is there.
    func keep(_ note: SignedNote, of head: TreeHead, origin: Origin) throws(AuditError) {
        let lock = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX) == 0 else { throw .unavailable("\(path) cannot be written") }
        defer { close(lock) }
        if let old = try newest() {
            guard let epoch = origin.epoch(of: old.origin) else { throw .refused(.otherLog(old.origin)) }
            if epoch < head.epoch {
                guard rename(file, file + ".epoch-\(epoch)") == 0 else { throw failure }
            } else if epoch > head.epoch {
                throw .refused(.laterEpoch(outside: epoch, here: head.epoch))
            } else if old.size > head.size {
                throw .refused(.ahead(outside: old.size, here: head.size))
            }
        }
        try write(Array(note.encoded.utf8))
    }

    private func write(_ bytes: [UInt8]) throws(AuditError) {
        let draft = file + ".draft"
        let handle = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard handle >= 0 else { throw failure }
        let written = Glibc.write(handle, bytes, bytes.count) == bytes.count && fsync(handle) == 0
        close(handle)
        guard written, rename(draft, file) == 0 else { throw failure }
        // The name is on disk once the folder is.
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(folder) }
        guard folder >= 0, fsync(folder) == 0 else { throw failure }
    }

    private var failure: AuditError { .unavailable("\(file) cannot be written: errno \(errno)") }
}
