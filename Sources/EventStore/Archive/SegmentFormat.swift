/// The fixed parts of a segment file, as docs/segment-files.md describes them.
enum SegmentFormat {
    /// The first eight bytes; the last two are the version of the format.
    static let magic = Array("sbxseg01".utf8)
    /// Magic, first position, last position.
    static let headerSize = 24
    /// How many events lie between two entries of the table of events.
    static let eventStride = 256
    /// How many streams lie between two entries of the table of streams.
    static let streamStride = 64
    /// The offsets of the three sections after the events, the number of streams, and the SHA-256 of all before it.
    static let footerSize = 64
}

/// Where the sections of a segment file begin.
struct SegmentFooter: Equatable {
    /// Offsets of the event at the first position, and of every 256th after it.
    var eventTable: Int64
    /// The streams by name, each with its versions and positions.
    var streams: Int64
    /// Offsets of the first stream, and of every 64th after it.
    var streamTable: Int64
    var streamCount: Int64

    var bytes: [UInt8] {
        var bytes = SegmentBytes()
        for value in [eventTable, streams, streamTable, streamCount] { bytes.add(value) }
        return bytes.bytes
    }
}

/// A fingerprint of which stream has which version where, the same in whatever order the entries come.
///
/// It is compared between the events of a file and its index of streams, against mistakes and not against malice.
struct IndexFingerprint: Equatable {
    private(set) var count: Int64 = 0
    private var sum: UInt64 = 0

    mutating func add(_ stream: StreamName, version: Int64, position: Int64) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        for byte in stream.text.utf8 { mix(byte) }
        withUnsafeBytes(of: version.bigEndian) { $0.forEach(mix) }
        withUnsafeBytes(of: position.bigEndian) { $0.forEach(mix) }
        count += 1
        sum = sum &+ hash
    }
}
