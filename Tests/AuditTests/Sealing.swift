import EventStore
import FoundationEssentials
import Glibc
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import Audit

/// A log that is being sealed, with a folder for the newest checkpoint and a key.
struct Sealing {
    let database: TestDatabase
    let running: RunningLog
    let folder: CheckpointFolder
    let origin = Origin(domain: "example.com")
    let key: SigningKey

    var store: AuditStore { AuditStore(pool: running.pool) }
    var transparency: TransparencyLog { TransparencyLog(store: store, log: running.log) }
    var audit: LogAudit { LogAudit(store: store, log: running.log, folder: folder) }

    /// Runs `body` with a fresh one.
    static func with(_ body: (Sealing) async throws -> Void) async throws {
        try await withDatabase { database in
            try await Folder.with { path in
                let key = try SigningKey(generatedFor: "example.com/log")
                try await withLog(in: database) { running in
                    try await body(
                        Sealing(database: database, running: running, folder: CheckpointFolder(path), key: key)
                    )
                }
            }
        }
    }

    func sealer(
        keys: [SigningKey]? = nil,
        log: (any EventLog)? = nil,
        probe: @escaping @Sendable (SealStep) async throws(AuditError) -> Void = { _ in }
    ) -> Sealer {
        Sealer(
            store: store,
            log: log ?? running.log,
            folder: folder,
            origin: origin,
            keys: keys ?? [key],
            probe: probe
        )
    }

    /// A turn at sealing that nobody else has.
    func lease(for duration: Duration = .seconds(60), owner: String = "one") async throws -> WorkItem {
        let update = WorkUpdate(
            SealerRunner.stream,
            guard: .create,
            kind: SealerRunner.kind,
            status: "queued",
            wakeAt: Timestamp(microseconds: 0)
        )
        let causation = Causation(actor: "system", command: IDSource.system.unique())
        _ = try await running.log.append(AppendRequest(causation: causation, writes: [], work: [update]))
        let items = try await running.queue.claim(
            kinds: [SealerRunner.kind],
            owner: owner,
            limit: 1,
            lease: duration
        )
        return try #require(items.first)
    }

    func write(_ count: Int, to log: (any EventLog)? = nil) async throws {
        let log: any EventLog = log ?? running.log
        try await log.write(Array(repeating: "thing-1", count: count))
    }

    /// Many events at once, written past the API as nobody may.
    func fill(_ count: Int) async throws {
        for _ in 0..<count / 1000 {
            let events = (0..<1000).map { _ in
                NewEvent(id: IDSource.system.unique(), type: "thing.happened", payload: Array("{}".utf8))
            }
            _ = try await running.log.append(
                AppendRequest(
                    causation: Causation(actor: "system", command: IDSource.system.unique()),
                    writes: [StreamWrite(StreamName(category: "thing", id: 2), expecting: .any, events: events)]
                )
            )
        }
    }

    /// Does what only somebody with the keys to the database can.
    func tamper(_ statements: String) async throws {
        let superuser = try await Connection.open(database.superuser)
        try await superuser.script("SET session_replication_role = replica; " + statements)
        await superuser.close()
    }

    /// The checkpoint that everybody can fetch.
    func published() async throws -> Checkpoint? {
        guard let note = try await transparency.checkpoint() else { return nil }
        return try Checkpoint(SignedNote(note.utf8), trusting: [key.verifier])
    }
}

extension EventLog {
    /// Lets something happen in each of these streams, in order.
    func write(_ names: [String]) async throws {
        for name in names {
            let stream = try #require(StreamName(name))
            let event = NewEvent(id: IDSource.system.unique(), type: "thing.happened", payload: Array("{}".utf8))
            _ = try await append(
                AppendRequest(
                    causation: Causation(actor: "system", command: IDSource.system.unique()),
                    writes: [StreamWrite(stream, expecting: .any, events: [event])]
                )
            )
        }
    }
}

/// A temporary folder.
enum Folder {
    static func with(_ body: (String) async throws -> Void) async throws {
        var template = Array("/tmp/signalbox-audit-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    static func write(_ bytes: some Collection<UInt8>, to path: String) throws {
        try Data(bytes).write(to: URL(filePath: path))
    }
}

/// The tables of the log as they were, as a dump has them.
enum Backup {
    static let take = """
        CREATE SCHEMA backup;
        CREATE TABLE backup.event AS SELECT * FROM log.event;
        CREATE TABLE backup.stream AS SELECT * FROM log.stream;
        CREATE TABLE backup.head AS SELECT * FROM log.head;
        CREATE TABLE backup.tile AS SELECT * FROM log.tile;
        CREATE TABLE backup.checkpoint AS SELECT * FROM log.checkpoint;
        """

    static let restore = """
        DELETE FROM log.event; INSERT INTO log.event SELECT * FROM backup.event;
        DELETE FROM log.stream; INSERT INTO log.stream SELECT * FROM backup.stream;
        DELETE FROM log.head; INSERT INTO log.head SELECT * FROM backup.head;
        DELETE FROM log.tile; INSERT INTO log.tile SELECT * FROM backup.tile;
        DELETE FROM log.checkpoint; INSERT INTO log.checkpoint SELECT * FROM backup.checkpoint;
        """
}
