package import Kernel

/// A value that travels to and from Postgres in binary.
package protocol Wire: Column, CopyColumn, Sendable {
    /// What `pg_type` calls it; never changes for built-in types.
    static var oid: UInt32 { get }

    /// What `pg_type` calls an array of it.
    static var arrayOID: UInt32 { get }

    /// Appends the value, without its length.
    func write(to bytes: inout [UInt8])

    /// Reads a value of the type `oid`; `nil` when that is not one it can be.
    init?(wire: UnsafeRawBufferPointer, oid: UInt32)
}

extension FixedWidthInteger {
    func writeBigEndian(to bytes: inout [UInt8]) {
        withUnsafeBytes(of: bigEndian) { bytes.append(contentsOf: $0) }
    }
}

extension UnsafeRawBufferPointer {
    func loadBigEndian<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type, at offset: Int) -> Value {
        Value(bigEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    /// An `int2`, `int4` or `int8`.
    fileprivate func integer(oid: UInt32) -> Int64? {
        switch (oid, count) {
        case (20, 8): loadBigEndian(Int64.self, at: 0)
        case (23, 4), (26, 4): Int64(loadBigEndian(Int32.self, at: 0))
        case (21, 2): Int64(loadBigEndian(Int16.self, at: 0))
        default: nil
        }
    }
}

extension Int64: Wire {
    package static var oid: UInt32 { 20 }
    package static var arrayOID: UInt32 { 1016 }
    package func write(to bytes: inout [UInt8]) { writeBigEndian(to: &bytes) }
    package init?(wire: UnsafeRawBufferPointer, oid: UInt32) {
        guard let value = wire.integer(oid: oid) else { return nil }
        self = value
    }
}

extension Int: Wire {
    package static var oid: UInt32 { 20 }
    package static var arrayOID: UInt32 { 1016 }
    package func write(to bytes: inout [UInt8]) { Int64(self).writeBigEndian(to: &bytes) }
    package init?(wire: UnsafeRawBufferPointer, oid: UInt32) {
        guard let value = wire.integer(oid: oid) else { return nil }
        self.init(value)
    }
}

extension Int32: Wire {
    package static var oid: UInt32 { 23 }
    package static var arrayOID: UInt32 { 1007 }
    package func write(to bytes: inout [UInt8]) { writeBigEndian(to: &bytes) }
    package init?(wire: UnsafeRawBufferPointer, oid: UInt32) {
        guard let value = wire.integer(oid: oid) else { return nil }
        self.init(exactly: value)
    }
}

extension Int16: Wire {
    package static var oid: UInt32 { 21 }
    package static var arrayOID: UInt32 { 1005 }
    package func write(to bytes: inout [UInt8]) { writeBigEndian(to: &bytes) }
    package init?(wire: UnsafeRawBufferPointer, oid: UInt32) {
        guard let value = wire.integer(oid: oid) else { return nil }
        self.init(exactly: value)
    }
}

extension Bool: Wire {
    package static var oid: UInt32 { 16 }
    package static var arrayOID: UInt32 { 1000 }
    package func write(to bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
    package init?(wire: UnsafeRawBufferPointer, oid: UInt32) {
        guard oid == 16, wire.count == 1 else { return nil }
        self = wire[0] != 0
    }
}

extension Double: Wire {
    package static var oid: UInt32 { 701 }
    package static var arrayOID: UInt32 { 1022 }
    package func write(to bytes: inout [UInt8]) { bitPattern.writeBigEndian(to: &bytes) }
    package init?(wire: UnsafeRawBufferPointer, oid: UInt32) {
        switch (oid, wire.count) {
        case (701, 8): self.init(bitPattern: wire.loadBigEndian(UInt64.self, at: 0))
        case (700, 4): self.init(Float(bitPattern: wire.loadBigEndian(UInt32.self, at: 0)))
        default: return nil
        }
    }
}

extension String: Wire {
    package static var oid: UInt32 { 25 }
    package static var arrayOID: UInt32 { 1009 }
    package func write(to bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }

    /// Any type whose binary form is its text: `text`, `varchar`, `bpchar`, `name`, `json`, `"char"`, `unknown`, `xml`.
    package init?(wire: UnsafeRawBufferPointer, oid: UInt32) {
        switch oid {
        case 25, 1043, 1042, 19, 114, 18, 705, 142: self.init(decoding: wire, as: UTF8.self)
        // `jsonb` puts the number of its version, 1, before the text.
        case 3802 where wire.first == 1:
            self.init(decoding: UnsafeRawBufferPointer(rebasing: wire.dropFirst()), as: UTF8.self)
        default: return nil
        }
    }
}

extension Array: Wire, Column, CopyColumn where Element == UInt8 {
    package static var oid: UInt32 { 17 }
    package static var arrayOID: UInt32 { 1001 }
    package func write(to bytes: inout [UInt8]) { bytes.append(contentsOf: self) }
    package init?(wire: UnsafeRawBufferPointer, oid: UInt32) {
        guard oid == 17 else { return nil }
        self.init(wire)
    }
}

extension UniqueID: Wire {
    package static var oid: UInt32 { 2950 }
    package static var arrayOID: UInt32 { 2951 }
    package func write(to bytes: inout [UInt8]) { value.writeBigEndian(to: &bytes) }
    package init?(wire: UnsafeRawBufferPointer, oid: UInt32) {
        guard oid == 2950, wire.count == 16 else { return nil }
        self.init(wire.loadBigEndian(UInt128.self, at: 0))
    }
}

extension Timestamp: Wire {
    package static var oid: UInt32 { 1184 }
    package static var arrayOID: UInt32 { 1185 }
    package func write(to bytes: inout [UInt8]) { postgres.writeBigEndian(to: &bytes) }
    package init?(wire: UnsafeRawBufferPointer, oid: UInt32) {
        guard oid == 1184, wire.count == 8 else { return nil }
        self.init(postgres: wire.loadBigEndian(Int64.self, at: 0))
    }
}

extension Identifier: Wire {
    package static var oid: UInt32 { 20 }
    package static var arrayOID: UInt32 { 1016 }
    package func write(to bytes: inout [UInt8]) { value.writeBigEndian(to: &bytes) }
    package init?(wire: UnsafeRawBufferPointer, oid: UInt32) {
        guard let value = wire.integer(oid: oid) else { return nil }
        self.init(value)
    }
}
