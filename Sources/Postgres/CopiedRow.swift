package import Kernel

/// One row of `COPY … TO STDOUT (FORMAT binary)`, read in place, column after column.
///
/// The format names no types (https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format"): each column must be
/// read as exactly what the query selects. Valid only while it is handed out.
package struct CopiedRow {
    /// The signature, the flags and the length of the header's extension, before the first row.
    static let headerCount = 19

    /// From here on nothing was read yet.
    private var rest: UnsafeRawBufferPointer
    private var columnsLeft: Int

    /// Takes a row without a header; `nil` for the trailer.
    init?(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        guard bytes.count >= 2 else { throw Self.torn }
        let columns = bytes.loadBigEndian(Int16.self, at: 0)
        guard columns >= 0 else { return nil }
        columnsLeft = Int(columns)
        rest = UnsafeRawBufferPointer(rebasing: bytes[2...])
    }

    /// The next column as it travels; `nil` for NULL.
    package mutating func next() throws(PostgresError) -> UnsafeRawBufferPointer? {
        guard columnsLeft > 0, rest.count >= 4 else { throw Self.torn }
        columnsLeft -= 1
        let length = Int(rest.loadBigEndian(Int32.self, at: 0))
        let end = 4 + max(0, length)
        guard rest.count >= end else { throw Self.torn }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[end...]) }
        return length < 0 ? nil : UnsafeRawBufferPointer(rebasing: rest[4..<end])
    }

    /// The next column, an `int2`.
    package mutating func int16() throws(PostgresError) -> Int16 { try integer(next()) }

    /// The next column, an `int4`.
    package mutating func int32() throws(PostgresError) -> Int32 { try integer(next()) }

    /// The next column, an `int8`.
    package mutating func int64() throws(PostgresError) -> Int64 { try integer(next()) }

    /// The next column, an `int8` or NULL.
    package mutating func optionalInt64() throws(PostgresError) -> Int64? {
        guard let bytes = try next() else { return nil }
        return try integer(bytes)
    }

    /// The next column, a `timestamptz`.
    package mutating func timestamp() throws(PostgresError) -> Timestamp { Timestamp(postgres: try int64()) }

    /// The next column, a `uuid`.
    package mutating func uniqueID() throws(PostgresError) -> UniqueID { UniqueID(try integer(next())) }

    /// The next column, a `uuid` or NULL.
    package mutating func optionalUniqueID() throws(PostgresError) -> UniqueID? {
        guard let bytes = try next() else { return nil }
        return UniqueID(try integer(bytes))
    }

    /// The next column, a `text`.
    package mutating func text() throws(PostgresError) -> String { String(decoding: try value(), as: UTF8.self) }

    /// The next column, a `bytea`.
    package mutating func bytes() throws(PostgresError) -> [UInt8] { [UInt8](try value()) }

    /// The next column, a `bytea` or NULL.
    package mutating func optionalBytes() throws(PostgresError) -> [UInt8]? { try next().map { [UInt8]($0) } }

    /// The next column, which is not NULL, as it travels.
    package mutating func value() throws(PostgresError) -> UnsafeRawBufferPointer {
        guard let bytes = try next() else { throw Self.torn }
        return bytes
    }

    private func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer?
    ) throws(PostgresError) -> Value {
        guard let bytes, bytes.count == MemoryLayout<Value>.size else { throw Self.torn }
        return bytes.loadBigEndian(Value.self, at: 0)
    }

    private static let torn = PostgresError(.shape, message: "a copied row is not what was selected")
}

extension Connection {
    /// Reads a query row by row, in binary, without holding it in memory.
    ///
    /// - Parameters:
    ///   - statement: `COPY (…) TO STDOUT (FORMAT binary)`; it takes no parameters.
    ///   - take: Gets one row at a time, valid during the call. When it throws, the server is told to stop.
    /// - Throws: What `take` throws, or ``PostgresError`` as for any statement.
    package func copyRows(
        _ statement: SQL,
        to take: (inout CopiedRow) throws(PostgresError) -> Void
    ) throws(PostgresError) {
        var isFirst = true
        try copyOut(statement) { bytes throws(PostgresError) in
            var bytes = bytes
            if isFirst {
                isFirst = false
                guard bytes.count >= CopiedRow.headerCount else {
                    throw PostgresError(.shape, message: "a copy without its header")
                }
                bytes = UnsafeRawBufferPointer(rebasing: bytes[CopiedRow.headerCount...])
                // The header may come alone.
                if bytes.isEmpty { return }
            }
            guard var row = try CopiedRow(bytes) else { return }
            try take(&row)
        }
    }
}
