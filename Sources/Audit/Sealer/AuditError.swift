internal import EventStore
internal import Postgres

/// Why the transparency log could not be read or extended.
package enum AuditError: Error, Equatable, Sendable {
    /// The database or a file cannot be had now; the text is for our own log lines.
    case unavailable(String)
    /// What was read breaks a promise of the log: stop, and tell a person.
    case violated(String)
    /// Another process seals now.
    case fenced
    /// Signing would be wrong.
    case refused(SealingRefusal)
}

/// Why nothing is signed; each says what to do about it.
package enum SealingRefusal: Error, Equatable, Sendable {
    /// A checkpoint was signed that the database does not know: it has lost its end.
    case ahead(outside: Int64, here: Int64)
    /// The database makes another root at the size of a checkpoint that was signed.
    case forked(size: Int64)
    /// A checkpoint of a later epoch was signed.
    case laterEpoch(outside: Int, here: Int)
    /// A checkpoint was signed and published that the kept one does not reach: the folder was emptied or put back.
    case folderBehind(outside: Int64, signed: Int64)
    /// The kept checkpoint is one of another log.
    case otherLog(String)
    /// The kept checkpoint is there and is not one.
    case unreadable(String)
    /// The tiles in the database do not make the root of its last checkpoint.
    case tilesChanged(size: Int64)
}

extension SealingRefusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .ahead(let outside, let here):
            "a checkpoint of \(outside) events was signed, and the database knows of \(here): it lost its end; "
                + Self.remedy
        case .forked(let size):
            "the first \(size) events are not those that a signed checkpoint covers; " + Self.remedy
        case .laterEpoch(let outside, let here):
            "a checkpoint of epoch \(outside) was signed, and the database is in epoch \(here); " + Self.remedy
        case .folderBehind(let outside, let signed):
            "a checkpoint of \(signed) events was signed, and the folder of checkpoints knows of \(outside): put back the "
                + "newest file 'checkpoint'; when there is none, " + Self.remedy
        case .otherLog(let origin): "the kept checkpoint is one of \(origin), which is another log"
        case .unreadable(let path): "\(path) is not a checkpoint; put back the newest one that was signed"
        case .tilesChanged(let size): "the tiles do not make the checkpoint of \(size) events; " + Self.remedy
        }
    }

    private static let remedy = "find out why, then see `signalbox audit new-epoch`"
}

extension AuditError {
    init(_ error: LogError) {
        switch error {
        case .unavailable(let reason): self = .unavailable(reason)
        case .violated(let promise): self = .violated(promise)
        }
    }

    init(_ error: TileError) {
        switch error {
        case .unavailable(let reason): self = .unavailable(reason)
        case .missing, .damaged, .outside: self = .violated(error.description)
        }
    }

    /// Says what a failure of Postgres means here.
    static func wrap<Value: Sendable>(
        _ body: () async throws(PostgresError) -> Value
    ) async throws(AuditError) -> Value {
        do throws(PostgresError) {
            return try await body()
        } catch {
            // What log.seal raises when a tile would not stay as it was.
            if error.code == "XX001" { throw .violated(error.message) }
            throw .unavailable(error.code.isEmpty ? "\(error)" : "\(error), SQLSTATE \(error.code)")
        }
    }
}
