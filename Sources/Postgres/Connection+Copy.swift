extension Connection {
    /// Streams rows into a table.
    ///
    /// - Parameters:
    ///   - statement: `COPY … FROM STDIN`, in text, CSV or binary (``BinaryRows`` writes that); it takes no parameters.
    ///   - next: The next bytes, of any size below 1 GiB; `nil` at the end. When it throws, nothing was copied.
    /// - Returns: How many rows were copied.
    /// - Throws: What `next` throws, or ``PostgresError`` as for any statement; the limit counts from chunk to chunk on
    ///   this side, but for the whole statement on the server's.
    @discardableResult
    package func copyIn(
        _ statement: SQL,
        from next: () throws(PostgresError) -> [UInt8]?
    ) throws(PostgresError) -> Int {
        precondition(statement.parameters.count == 0, "COPY takes no parameters")
        return try withSession { session throws(PostgresError) in try session.copyIn(statement.text, from: next) }
    }

    /// Copies rows into a table in the binary format.
    ///
    /// - Parameters:
    ///   - statement: `COPY … FROM STDIN (FORMAT binary)`.
    ///   - rows: Them all.
    /// - Returns: How many rows were copied.
    /// - Throws: ``PostgresError`` as for any statement.
    @discardableResult
    package func copyIn(_ statement: SQL, _ rows: BinaryRows) throws(PostgresError) -> Int {
        var parts = [rows.finished]
        return try copyIn(statement) { parts.popLast() }
    }

    /// Reads a table or a query without holding it in memory.
    ///
    /// - Parameters:
    ///   - statement: `COPY … TO STDOUT`; it takes no parameters.
    ///   - take: Gets the bytes of one row at a time, valid during the call; in binary the first also carries the
    ///     header and the last is the trailer. When it throws, the server is told to stop.
    /// - Throws: What `take` throws, or ``PostgresError`` as for any statement.
    package func copyOut(
        _ statement: SQL,
        to take: (UnsafeRawBufferPointer) throws(PostgresError) -> Void
    ) throws(PostgresError) {
        precondition(statement.parameters.count == 0, "COPY takes no parameters")
        try withSession { session throws(PostgresError) in try session.copyOut(statement.text, to: take) }
    }
}

/// Rows in the binary format of `COPY` (https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format").
///
/// Binary does not convert: each value must be of exactly the column's type.
package struct BinaryRows: Sendable {
    // Signature, flags, length of the header's extension.
    private var bytes: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)
    /// How many rows there are.
    package private(set) var count = 0

    package init() {}

    /// Adds one row; an optional that is `nil` is NULL.
    package mutating func add<each Value: CopyColumn>(_ values: repeat each Value) {
        var columns: Int16 = 0
        for _ in repeat each values { columns += 1 }
        columns.writeBigEndian(to: &bytes)
        for value in repeat each values { value.copy(to: &bytes) }
        count += 1
    }

    var finished: [UInt8] { bytes + [0xFF, 0xFF] }
}

/// What a column of ``BinaryRows`` may be: a value, or an optional of one.
package protocol CopyColumn {
    /// Appends the length and the value, or the mark of NULL.
    func copy(to bytes: inout [UInt8])
}

extension Wire {
    package func copy(to bytes: inout [UInt8]) {
        let length = bytes.count
        Int32(0).writeBigEndian(to: &bytes)
        write(to: &bytes)
        let size = UInt32(bytes.count - length - 4)
        for place in 0..<4 { bytes[length + place] = UInt8(truncatingIfNeeded: size >> (24 - 8 * UInt32(place))) }
    }
}

extension Optional: CopyColumn where Wrapped: Wire {
    package func copy(to bytes: inout [UInt8]) {
        if let self { self.copy(to: &bytes) } else { Int32(-1).writeBigEndian(to: &bytes) }
    }
}
