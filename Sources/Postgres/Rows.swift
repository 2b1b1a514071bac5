internal import CLibPQ

/// One answer from the server, in binary, freed exactly once: when it goes out of scope.
///
/// Unchecked: a `PGresult` is read-only once it was received, and may then be read by any thread
/// (https://www.postgresql.org/docs/15/libpq-threading.html).
package struct Rows: ~Copyable, @unchecked Sendable {
    private let result: OpaquePointer

    init(owning result: OpaquePointer) {
        self.result = result
    }

    deinit {
        PQclear(result)
    }

    /// How many rows were returned.
    package var count: Int {
        Int(PQntuples(result))
    }

    /// How many rows a statement changed, whether or not it returned any.
    package var changed: Int {
        Int(String(cString: PQcmdTuples(result))) ?? 0
    }

    /// One column of one row; `nil` for NULL.
    ///
    /// - Throws: ``PostgresError`` of kind `shape` when it is not a `Value`.
    package func value<Value: Wire>(_: Value.Type, row: Int, column: Int) throws(PostgresError) -> Value? {
        guard row < count, column < Int(PQnfields(result)) else {
            throw PostgresError(.shape, message: "no row \(row), column \(column)")
        }
        guard PQgetisnull(result, Int32(row), Int32(column)) == 0 else { return nil }
        guard let value = Value(wire: bytes(row: row, column: column), oid: PQftype(result, Int32(column))) else {
            throw PostgresError(
                .shape,
                message: "column \(column) of type \(PQftype(result, Int32(column))) is no \(Value.self)"
            )
        }
        return value
    }

    /// An array column without NULLs.
    package func array<Element: Wire>(_: Element.Type, row: Int, column: Int) throws(PostgresError) -> [Element] {
        try optionals(Element.self, row: row, column: column).map { element throws(PostgresError) in
            guard let element else { throw PostgresError(.shape, message: "NULL in an array") }
            return element
        }
    }

    /// An array column that may hold NULLs.
    package func optionals<Element: Wire>(_: Element.Type, row: Int, column: Int) throws(PostgresError) -> [Element?] {
        let bytes = bytes(row: row, column: column)
        guard bytes.count >= 12 else { throw PostgresError(.shape, message: "column \(column) is no array") }
        guard bytes.loadBigEndian(Int32.self, at: 0) == 1 else { return [] }
        let oid = bytes.loadBigEndian(UInt32.self, at: 8)
        var offset = 20
        var elements: [Element?] = []
        for _ in 0..<Int(bytes.loadBigEndian(Int32.self, at: 12)) {
            let length = Int(bytes.loadBigEndian(Int32.self, at: offset))
            offset += 4
            guard length >= 0 else {
                elements.append(nil)
                continue
            }
            let wire = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
            guard let element = Element(wire: wire, oid: oid) else {
                throw PostgresError(.shape, message: "an element of type \(oid) is no \(Element.self)")
            }
            elements.append(element)
            offset += length
        }
        return elements
    }

    /// One row as a tuple; an optional type takes NULL.
    package func decode<each C: Column>(_ row: Int, _: repeat (each C).Type) throws(PostgresError) -> (repeat each C) {
        var column = -1
        func next<Value: Column>(_: Value.Type) throws(PostgresError) -> Value {
            column += 1
            return try Value.read(self, row: row, column: column)
        }
        return (repeat try next((each C).self))
    }

    /// All rows as tuples, in order.
    package func all<each C: Column>(_ types: repeat (each C).Type) throws(PostgresError) -> [(repeat each C)] {
        var rows: [(repeat each C)] = []
        rows.reserveCapacity(count)
        for row in 0..<count { rows.append(try decode(row, repeat each types)) }
        return rows
    }

    /// The first column of all rows.
    package func column<Value: Column>(_: Value.Type) throws(PostgresError) -> [Value] {
        var values: [Value] = []
        for row in 0..<count { values.append(try Value.read(self, row: row, column: 0)) }
        return values
    }

    var status: ExecStatusType { PQresultStatus(result) }

    /// The command's tag, such as `COMMIT` or `SELECT 5`.
    var command: String { String(cString: PQcmdStatus(result)) }

    var refusal: PostgresError {
        let code = field("C") ?? ""
        return PostgresError(
            PostgresError.kind(code: code),
            code: code,
            message: String(cString: PQresultErrorMessage(result)),
            constraint: field("n")
        )
    }

    private func field(_ code: Unicode.Scalar) -> String? {
        PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
    }

    private func bytes(row: Int, column: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: PQgetvalue(result, Int32(row), Int32(column)),
            count: Int(PQgetlength(result, Int32(row), Int32(column)))
        )
    }
}

/// What a column may be read as: a value, or an optional of one.
package protocol Column {
    static func read(_ rows: borrowing Rows, row: Int, column: Int) throws(PostgresError) -> Self
}

extension Optional: Column where Wrapped: Wire {
    package static func read(_ rows: borrowing Rows, row: Int, column: Int) throws(PostgresError) -> Self {
        try rows.value(Wrapped.self, row: row, column: column)
    }
}

extension Wire {
    package static func read(_ rows: borrowing Rows, row: Int, column: Int) throws(PostgresError) -> Self {
        guard let value = try rows.value(Self.self, row: row, column: column) else {
            throw PostgresError(.shape, message: "column \(column) is NULL")
        }
        return value
    }
}
