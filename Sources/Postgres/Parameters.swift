/// The values of one statement, laid out in binary as the wire wants them.
///
/// `$1` is the first one added. Every value is sent with its type, so Postgres never has to guess.
package struct Parameters: Sendable {
    private var bytes: [UInt8] = []
    private var ranges: [Range<Int>?] = []
    private(set) var oids: [UInt32] = []

    /// - Parameter capacity: How many bytes to make room for.
    package init(reserving capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    package var count: Int { oids.count }

    /// Adds one value, or NULL.
    package mutating func add<Value: Wire>(_ value: Value?) {
        oids.append(Value.oid)
        guard let value else { return ranges.append(nil) }
        let start = bytes.count
        value.write(to: &bytes)
        ranges.append(start..<bytes.count)
    }

    /// Adds a one-dimensional array without NULLs.
    package mutating func add<Element: Wire>(array values: some Collection<Element>) {
        add(array: values, anyNull: false) { $0 }
    }

    /// Adds a one-dimensional array that may hold NULLs.
    package mutating func add<Element: Wire>(array values: some Collection<Element?>) {
        add(array: values, anyNull: values.contains { $0 == nil }) { $0 }
    }

    private mutating func add<Element: Wire, Values: Collection>(
        array values: Values,
        anyNull: Bool,
        _ unwrap: (Values.Element) -> Element?
    ) {
        oids.append(Element.arrayOID)
        let start = bytes.count
        Int32(values.isEmpty ? 0 : 1).writeBigEndian(to: &bytes)
        Int32(anyNull ? 1 : 0).writeBigEndian(to: &bytes)
        Element.oid.writeBigEndian(to: &bytes)
        if !values.isEmpty {
            Int32(values.count).writeBigEndian(to: &bytes)
            Int32(1).writeBigEndian(to: &bytes)
            for value in values {
                guard let value = unwrap(value) else {
                    Int32(-1).writeBigEndian(to: &bytes)
                    continue
                }
                let length = bytes.count
                Int32(0).writeBigEndian(to: &bytes)
                value.write(to: &bytes)
                let size = UInt32(bytes.count - length - 4)
                for place in 0..<4 {
                    bytes[length + place] = UInt8(truncatingIfNeeded: size >> (24 - 8 * UInt32(place)))
                }
            }
        }
        ranges.append(start..<bytes.count)
    }

    func withPointers<Result>(
        _ body: (
            Int32, UnsafePointer<UInt32>?, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?,
            UnsafePointer<Int32>?
        ) -> Result
    ) -> Result {
        // libpq reads a nil pointer as NULL, so an empty value still needs an address.
        let padded = bytes + [0]
        return padded.withUnsafeBytes { raw in
            let base = raw.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values = ranges.map { range in range.flatMap { range in base.map { $0 + range.lowerBound } } }
            let lengths = ranges.map { Int32($0?.count ?? 0) }
            let formats = [Int32](repeating: 1, count: ranges.count)
            return body(Int32(ranges.count), oids, values, lengths, formats)
        }
    }
}
