internal import Kernel

/// How a segment file writes numbers and texts: big-endian, texts after their length.
struct SegmentBytes {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func add(raw: some Sequence<UInt8>) {
        bytes.append(contentsOf: raw)
    }

    /// A text of less than 64 KiB.
    mutating func add(text: String) {
        add(UInt16(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// Bytes or nothing: a length of all ones stands for nothing.
    mutating func add(optional value: [UInt8]?) {
        guard let value else { return add(UInt32.max) }
        add(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    /// One event after its length.
    mutating func add(_ stored: StoredEvent) {
        let event = stored.event
        var record = SegmentBytes()
        record.bytes.reserveCapacity(256 + event.metadata.utf8.count + (event.payload?.count ?? 0))
        record.add(event.position)
        record.add(raw: event.id.bytes)
        record.add(text: event.stream.text)
        record.add(event.organization?.value ?? 0)
        record.add(event.version)
        record.add(text: event.type)
        record.add(event.schemaVersion)
        record.add(event.recordedAt.postgres)
        record.add(text: event.actor)
        record.add(raw: event.command.bytes)
        record.add(optional: event.cause?.bytes)
        record.add(raw: event.correlation.bytes)
        record.add(optional: Array(event.metadata.utf8))
        record.add(optional: event.payload)
        record.add(optional: stored.salt)
        record.add(raw: stored.payloadHash)
        record.add(raw: stored.leaf)
        add(UInt32(record.bytes.count))
        bytes.append(contentsOf: record.bytes)
    }
}

/// Reads what ``SegmentBytes`` wrote; whatever does not fit is damage.
struct SegmentCursor {
    private let bytes: [UInt8]
    private let file: String
    private(set) var offset: Int

    /// - Parameters:
    ///   - bytes: A stretch of a file.
    ///   - offset: Where to begin in it.
    ///   - file: The file's name, for what is said of damage.
    init(_ bytes: [UInt8], at offset: Int = 0, of file: String) {
        self.bytes = bytes
        self.offset = offset
        self.file = file
    }

    var isAtEnd: Bool { offset >= bytes.count }

    mutating func integer<Value: FixedWidthInteger>(_: Value.Type) throws(SegmentError) -> Value {
        try take(Value.bitWidth / 8).reduce(Value(0)) { $0 << 8 | Value(truncatingIfNeeded: $1) }
    }

    mutating func take(_ count: Int) throws(SegmentError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - offset else { throw damage("a field is cut off") }
        defer { offset += count }
        return bytes[offset..<offset + count]
    }

    mutating func text() throws(SegmentError) -> String {
        String(decoding: try take(Int(try integer(UInt16.self))), as: UTF8.self)
    }

    mutating func optional() throws(SegmentError) -> [UInt8]? {
        let count = try integer(UInt32.self)
        return count == .max ? nil : Array(try take(Int(count)))
    }

    mutating func id() throws(SegmentError) -> UniqueID {
        UniqueID(try integer(UInt128.self))
    }

    /// Goes over one event without looking at it.
    mutating func skipEvent() throws(SegmentError) {
        _ = try take(Int(try integer(UInt32.self)))
    }

    /// The event that is next; its leaf and the hash of its payload are computed again.
    mutating func event() throws(SegmentError) -> StoredEvent {
        let size = Int(try integer(UInt32.self))
        let end = offset + size
        let event = RecordedEvent(
            position: try integer(Int64.self),
            id: try id(),
            stream: try stream(),
            organization: OrganizationID(try integer(Int64.self)),
            version: try integer(Int64.self),
            type: try text(),
            schemaVersion: try integer(Int16.self),
            recordedAt: Timestamp(postgres: try integer(Int64.self)),
            actor: try text(),
            command: try id(),
            cause: try cause(),
            correlation: try id(),
            metadata: String(decoding: try optional() ?? [], as: UTF8.self),
            payload: try optional()
        )
        let stored = StoredEvent(
            event: event,
            salt: try optional(),
            payloadHash: Array(try take(32)),
            leaf: Array(try take(32))
        )
        // The leaf holds 32 bits of the version.
        guard offset == end, 1...Int64(UInt32.max) ~= event.version, stored.recomputedLeaf == stored.leaf else {
            throw damage("the event at \(event.position) does not give its leaf")
        }
        switch (event.payload, stored.salt) {
        case (nil, nil):
            break
        case (let payload?, let salt?):
            guard Leaf.payloadHash(salt: salt, payload: payload) == stored.payloadHash else { fallthrough }
        default:
            throw damage("the payload at \(event.position) does not give its hash")
        }
        return stored
    }

    mutating func stream() throws(SegmentError) -> StreamName {
        guard let stream = StreamName(try text()) else { throw damage("a stream has no name") }
        return stream
    }

    private mutating func cause() throws(SegmentError) -> UniqueID? {
        let bytes = try optional()
        guard let bytes else { return nil }
        guard bytes.count == 16 else { throw damage("an id is cut off") }
        return UniqueID(bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) })
    }

    func damage(_ what: String) -> SegmentError { .damaged("\(file) is damaged: \(what)") }
}
