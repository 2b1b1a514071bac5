internal import EventStore
package import Kernel

/// What an entry of the log says, read back from its bytes; see `Leaf` for their order.
package struct LeafEntry: Sendable, Equatable {
    package let position: Int64
    package let event: UniqueID
    package let organization: OrganizationID?
    package let stream: String
    package let version: Int64
    package let recordedAt: Timestamp
    package let type: String
    package let schemaVersion: Int16
    package let command: UniqueID
    package let actor: String
    /// SHA-256 of salt and payload.
    package let payloadHash: [UInt8]

    /// Reads an entry; `nil` unless it is one, to its last byte.
    package init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        guard rest.take(5).map({ Array($0) == Array("sbox1".utf8) }) == true,
            let position = rest.integer(Int64.self), let event = rest.unique(),
            let organization = rest.integer(Int64.self), let stream = rest.text(),
            let version = rest.integer(UInt32.self), let recordedAt = rest.integer(Int64.self),
            let type = rest.text(), let schemaVersion = rest.integer(Int16.self), let command = rest.unique(),
            // Cause, correlation and the hash of the metadata.
            let actor = rest.text(), rest.take(16 + 16 + 32) != nil, let payloadHash = rest.take(32), rest.isEmpty
        else { return nil }
        self.position = position
        self.event = event
        self.organization = organization == 0 ? nil : OrganizationID(organization)
        self.stream = stream
        self.version = Int64(version)
        self.recordedAt = Timestamp(postgres: recordedAt)
        self.type = type
        self.schemaVersion = schemaVersion
        self.command = command
        self.actor = actor
        self.payloadHash = Array(payloadHash)
    }
}

extension ArraySlice<UInt8> {
    fileprivate mutating func take(_ length: Int) -> ArraySlice<UInt8>? {
        guard count >= length else { return nil }
        defer { removeFirst(length) }
        return prefix(length)
    }

    fileprivate mutating func integer<Value: FixedWidthInteger>(_: Value.Type) -> Value? {
        take(Value.bitWidth / 8)?.reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
    }

    fileprivate mutating func unique() -> UniqueID? {
        integer(UInt128.self).map { UniqueID($0) }
    }

    fileprivate mutating func text() -> String? {
        guard let length = integer(UInt16.self), let bytes = take(Int(length)) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
