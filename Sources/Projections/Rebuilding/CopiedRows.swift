/// Rows of a read model on their way into `COPY record (key, position, document) FROM STDIN (FORMAT binary)`.
///
/// Written piece by piece, so that the whole is never held twice.
struct CopiedRows: Sendable {
    private let rows: [StoredRow]
    private var next = 0
    private var hasEnded = false

    init(_ rows: [StoredRow]) {
        self.rows = rows
    }

    /// The next bytes; `nil` after the last.
    mutating func piece() -> [UInt8]? {
        guard !hasEnded else { return nil }
        var bytes: [UInt8] = []
        // Signature, flags, length of the header's extension.
        if next == 0 { bytes = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8) }
        while next < rows.count, bytes.count < 1 << 18 {
            let row = rows[next]
            next += 1
            Self.write(Int16(3), to: &bytes)
            Self.write(Int32(row.key.utf8.count), to: &bytes)
            bytes += row.key.utf8
            Self.write(Int32(8), to: &bytes)
            Self.write(row.position, to: &bytes)
            // jsonb travels as the number of its format and the text.
            Self.write(Int32(row.document.utf8.count + 1), to: &bytes)
            bytes.append(1)
            bytes += row.document.utf8
        }
        if next == rows.count {
            hasEnded = true
            bytes += [0xFF, 0xFF]
        }
        return bytes
    }

    private static func write(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}

/// One row as its table holds it.
struct StoredRow: Sendable, Equatable {
    let key: String
    let position: Int64
    /// JSON.
    let document: String
}
