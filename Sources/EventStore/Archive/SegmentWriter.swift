internal import Crypto
internal import Glibc

/// Writes one segment file, front to back, in constant memory but for one offset per 256 events.
final class SegmentWriter {
    private let path: String
    private let handle: Int32
    private let first: Int64
    private let last: Int64
    private var hash = SHA256()
    private var buffer = SegmentBytes()
    private var written: Int64 = 0
    private var next: Int64
    private var eventOffsets: [Int64] = []
    private var streamOffsets: [Int64] = []
    private var streams: Int64 = 0
    private var footer = SegmentFooter(eventTable: 0, streams: 0, streamTable: 0, streamCount: 0)

    /// Begins a file that only we can read; what was there is gone.
    ///
    /// - Parameters:
    ///   - path: Where it is written; it gets its name when it is whole.
    ///   - first: The position of its first event.
    ///   - last: The position of its last event.
    /// - Throws: `missing` when it cannot be made.
    init(path: String, first: Int64, last: Int64) throws(SegmentError) {
        // Whoever owns the folder must not have put a link there that we would write through.
        unlink(path)
        let handle = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard handle >= 0 else { throw .missing("\(path) cannot be written (\(String(cString: strerror(errno))))") }
        self.path = path
        self.handle = handle
        self.first = first
        self.last = last
        next = first
        buffer.add(raw: SegmentFormat.magic)
        buffer.add(first)
        buffer.add(last)
    }

    deinit { close(handle) }

    /// Adds the event at the next position.
    func add(_ stored: StoredEvent) throws(SegmentError) {
        guard stored.event.position == next else { throw .damaged("position \(next) is missing from the log") }
        if (next - first) % Int64(SegmentFormat.eventStride) == 0 { eventOffsets.append(offset) }
        buffer.add(stored)
        next += 1
        try flush(above: 1 << 20)
    }

    /// Ends the events, of which there must be as many as were announced.
    func endEvents() throws(SegmentError) {
        guard next == last + 1 else { throw .damaged("position \(next) is missing from the log") }
        footer.eventTable = offset
        for start in eventOffsets { buffer.add(start) }
        footer.streams = offset
    }

    /// Adds what lies here of one stream; streams come in the order of their names' bytes.
    func add(_ stream: StreamName, version: Int64, positions: [Int64]) throws(SegmentError) {
        if streams % Int64(SegmentFormat.streamStride) == 0 { streamOffsets.append(offset) }
        buffer.add(text: stream.text)
        buffer.add(version)
        buffer.add(UInt32(positions.count))
        for position in positions { buffer.add(UInt32(position - first)) }
        streams += 1
        try flush(above: 1 << 20)
    }

    /// Ends the file, and has the disk keep it.
    ///
    /// - Returns: SHA-256 of all but the last 32 bytes, which are it, and the size of the file.
    /// - Throws: `missing` when the disk does not take it.
    func finish() throws(SegmentError) -> (digest: [UInt8], size: Int64) {
        footer.streamTable = offset
        footer.streamCount = streams
        for start in streamOffsets { buffer.add(start) }
        buffer.add(raw: footer.bytes)
        try flush(above: 0)
        let digest = Array(hash.finalize())
        buffer.add(raw: digest)
        try flush(above: 0)
        guard fsync(handle) == 0 else { throw failure }
        return (digest, written)
    }

    private var offset: Int64 { written + Int64(buffer.bytes.count) }

    private func flush(above size: Int) throws(SegmentError) {
        guard buffer.bytes.count > size else { return }
        let bytes = buffer.bytes
        hash.update(data: bytes)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { write(handle, $0.baseAddress?.advanced(by: done), bytes.count - done) }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw failure
            }
            done += count
        }
        written += Int64(bytes.count)
        buffer = SegmentBytes()
    }

    private var failure: SegmentError { .missing("\(path) cannot be written (\(String(cString: strerror(errno))))") }
}
