package import EventStore
internal import Kernel
package import Postgres

/// The pure part of feeding: a page of events folded over the rows that they touch.
///
/// In this order: ``decode(_:)``, ``load(_:)``, ``run()``, ``changes()``. Equal pages over equal rows give equal bytes.
package struct PageFold<P: Projection>: Sendable {
    private let blocked: Set<Int64>
    private let torn: Set<StreamName>
    private let skipped: Set<Int64>
    private var entries: [(key: String, entry: Entry)] = []
    /// The rows that are known, by key.
    var rows: [String: P.Row] = [:]
    /// The position of the last event that changed a row, or made it go.
    private(set) var touched: [String: Int64] = [:]
    private var poison: [Int64: Poison] = [:]

    /// The streams of events that presupposed a row that is not there.
    package private(set) var lacking: Set<StreamName> = []

    /// - Parameters:
    ///   - blocked: The organizations to skip; 0 stands for what belongs to none.
    ///   - torn: Streams some of whose payloads were erased: what presupposes a row that is not there is passed over.
    ///   - skipped: Positions of events to pass over, because an operator said so.
    package init(blocked: Set<Int64> = [], torn: Set<StreamName> = [], skipped: Set<Int64> = []) {
        self.blocked = blocked
        self.torn = torn
        self.skipped = skipped
    }

    /// Decodes what the projection reads; what cannot be decoded blocks its organization from there on.
    package mutating func decode(_ events: [RecordedEvent]) {
        for record in events
        where P.reads.contains(record.type) && !skipped.contains(record.position) && !skips(record) {
            do {
                guard let entry = P.readsEnvelopes ? Entry(unread: record) : try Entry(record),
                    let key = P.key(of: entry)
                else { continue }
                entries.append((key, entry))
            } catch {
                block(record, because: error)
            }
        }
    }

    /// The keys of the rows that the page touches.
    package var keys: [String] { Set(entries.map(\.key)).sorted() }

    /// Takes the stored documents of those rows.
    ///
    /// - Throws: ``PostgresError`` of kind `shape` when a document is not a row of this shape.
    mutating func load(_ documents: [(String, String)]) throws(PostgresError) {
        for (key, document) in documents {
            do {
                rows[key] = try JSON.decode(P.Row.self, from: document.utf8)
            } catch {
                throw PostgresError(.shape, message: "\(P.name) \(key): \(error)")
            }
        }
    }

    /// Folds; an event that cannot be folded leaves its row as it was and blocks its organization from there on.
    package mutating func run() {
        for (key, entry) in entries where !skips(entry.record) {
            let before = rows[key]
            var row = before
            do {
                try P.fold(into: &row, entry)
                guard row != before else { continue }
                rows[key] = row
                touched[key] = entry.position
            } catch FoldError.missing where torn.contains(entry.record.stream) {
                continue
            } catch {
                if case FoldError.missing = error { lacking.insert(entry.record.stream) }
                block(entry.record, because: error)
            }
        }
    }

    /// What has to be written, in the order of the keys.
    ///
    /// - Throws: ``PostgresError`` of kind `shape` when a row is no JSON, which no row should be.
    package func changes() throws(PostgresError) -> RowChanges {
        var changes = RowChanges()
        for key in touched.keys.sorted() {
            guard let row = rows[key] else {
                changes.gone.append(key)
                continue
            }
            changes.documents.append(try Self.document(of: row, key))
            changes.keys.append(key)
            changes.positions.append(touched[key] ?? 0)
        }
        return changes
    }

    /// A row as it is stored.
    static func document(of row: P.Row, _ key: String) throws(PostgresError) -> String {
        do {
            return String(decoding: storable(try JSON.encode(row)), as: UTF8.self)
        } catch {
            throw PostgresError(.shape, message: "\(P.name) \(key): \(error)")
        }
    }

    /// The events that could not be folded, the first one of each organization, in order.
    package var poisoned: [Poison] { poison.values.sorted { $0.position < $1.position } }

    private func skips(_ record: RecordedEvent) -> Bool {
        let organization = record.organization?.value ?? 0
        if blocked.contains(organization) { return true }
        guard let poison = poison[organization] else { return false }
        return record.position >= poison.position
    }

    /// Notes the first event of its organization that cannot be folded.
    private mutating func block(_ record: RecordedEvent, because error: any Error) {
        let organization = record.organization?.value ?? 0
        poison[organization] = Poison(
            organization: organization,
            position: record.position,
            type: record.type,
            error: error
        )
    }

    /// The text with U+0000 replaced, which JSON allows and Postgres does not.
    private static func storable(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(UInt8(ascii: "\\")) else { return text }
        var bytes: [UInt8] = []
        var rest = text[...]
        while let byte = rest.first {
            if rest.starts(with: #"\u0000"#.utf8) {
                bytes += Array(#"\ufffd"#.utf8)
                rest = rest.dropFirst(6)
            } else {
                let length = byte == UInt8(ascii: "\\") ? 2 : 1
                bytes += rest.prefix(length)
                rest = rest.dropFirst(length)
            }
        }
        return bytes
    }
}

/// What a page changes, column by column.
package struct RowChanges: Sendable, Equatable {
    package var keys: [String] = []
    package var positions: [Int64] = []
    /// JSON, keys sorted.
    package var documents: [String] = []
    /// The keys of the rows that are gone.
    package var gone: [String] = []
}

/// An event that could not be folded.
package struct Poison: Sendable, Equatable {
    /// 0 stands for what belongs to no organization.
    package let organization: Int64
    package let position: Int64
    /// Which event and what kind of error; never what the event says.
    package let error: String

    init(organization: Int64, position: Int64, type: String, error: any Error) {
        self.organization = organization
        self.position = position
        self.error = "\(type): \(Self.name(of: error))"
    }

    private static func name(of error: any Error) -> String {
        switch error {
        case FoldError.missing(let key): "no row \(key)"
        case DecodingError.keyNotFound(let key, _): "no field \(key.stringValue)"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            "unreadable at \(context.codingPath.map(\.stringValue).joined(separator: "."))"
        default: "\(type(of: error))"
        }
    }
}
