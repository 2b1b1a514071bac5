internal import Crypto
internal import Glibc
internal import Kernel

/// A segment file, opened to be read; many may read it at once.
///
/// Reading blocks, so it happens on the thread of a connection and never on the cooperative pool. Whatever is read is
/// proven: an event that does not give its own leaf is damage.
final class SegmentFile: Sendable {
    /// Without the folder.
    let name: String
    let first: Int64
    let last: Int64
    let size: Int64
    /// SHA-256 of all before it, as the file itself says.
    let digest: [UInt8]
    private let handle: Int32
    private let footer: SegmentFooter

    /// - Parameters:
    ///   - name: The file's name.
    ///   - folder: Where it is.
    /// - Throws: ``SegmentError``.
    init(_ name: String, in folder: String) throws(SegmentError) {
        let path = folder + "/" + name
        let handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else {
            throw .missing("the archive file \(path) cannot be read (\(String(cString: strerror(errno))))")
        }
        var status = stat()
        guard fstat(handle, &status) == 0, status.st_size >= SegmentFormat.headerSize + SegmentFormat.footerSize else {
            close(handle)
            throw .damaged("\(name) is damaged: it is cut off")
        }
        do throws(SegmentError) {
            let size = Int64(status.st_size)
            let head = try Self.read(handle, name, at: 0, count: SegmentFormat.headerSize)
            var cursor = SegmentCursor(head, of: name)
            guard Array(try cursor.take(8)) == SegmentFormat.magic else {
                throw SegmentError.damaged("\(name) is damaged: it is no segment file of this format")
            }
            (first, last) = (try cursor.integer(Int64.self), try cursor.integer(Int64.self))
            let tail = try Self.read(
                handle,
                name,
                at: size - Int64(SegmentFormat.footerSize),
                count: SegmentFormat.footerSize
            )
            cursor = SegmentCursor(tail, of: name)
            footer = SegmentFooter(
                eventTable: try cursor.integer(Int64.self),
                streams: try cursor.integer(Int64.self),
                streamTable: try cursor.integer(Int64.self),
                streamCount: try cursor.integer(Int64.self)
            )
            digest = Array(try cursor.take(32))
            self.size = size
            // From here on every sum of what the file says stays within its bounds.
            let places = [0, footer.eventTable, footer.streams, footer.streamTable, size]
            guard first > 0, last >= first, last < 1 << 62, places == places.sorted(), 1...size ~= footer.streamCount
            else { throw SegmentError.damaged("\(name) is damaged: its tables do not fit") }
        } catch {
            close(handle)
            throw error
        }
        self.name = name
        self.handle = handle
    }

    deinit { close(handle) }

    /// Hands out the events in a range of positions, in order.
    ///
    /// - Parameters:
    ///   - range: Within the file.
    ///   - take: Gets one event after the other.
    /// - Throws: ``SegmentError``, or what `take` throws.
    func events(
        in range: ClosedRange<Int64>,
        _ take: (StoredEvent) throws(SegmentError) -> Void
    ) throws(SegmentError) {
        var position = range.lowerBound
        while position <= range.upperBound {
            var (cursor, start) = try block(of: position)
            for _ in start..<position { try cursor.skipEvent() }
            while !cursor.isAtEnd, position <= range.upperBound {
                let stored = try cursor.event()
                guard stored.event.position == position else {
                    throw damage("position \(position) is not in its place")
                }
                try take(stored)
                position += 1
            }
        }
    }

    /// What lies here of one stream, in order.
    ///
    /// - Parameters:
    ///   - stream: Its name.
    ///   - version: Only events with a higher version.
    ///   - limit: How many, at most.
    /// - Returns: None when the stream has none here.
    /// - Throws: ``SegmentError``.
    func events(of stream: StreamName, after version: Int64, limit: Int) throws(SegmentError) -> [StoredEvent] {
        guard let entry = try entry(of: stream) else { return [] }
        let known = Int(min(max(0, version - entry.version + 1), Int64(entry.positions.count)))
        var events: [StoredEvent] = []
        for (index, position) in entry.positions.enumerated().dropFirst(known).prefix(limit) {
            try self.events(in: position...position) { event in events.append(event) }
            guard let event = events.last?.event, event.stream == stream, event.version == entry.version + Int64(index)
            else { throw damage("the index of \(stream) does not fit") }
        }
        return events
    }

    /// Checks every byte: the SHA-256, every leaf, every payload, and the index of streams.
    ///
    /// - Parameter take: Gets every event, in order.
    /// - Throws: ``SegmentError``, or what `take` throws.
    func verify(_ take: (StoredEvent) throws(SegmentError) -> Void = { _ in }) throws(SegmentError) {
        var hash = SHA256()
        var offset: Int64 = 0
        while offset < size - 32 {
            let chunk = try read(at: offset, count: Int(min(1 << 20, size - 32 - offset)))
            hash.update(data: chunk)
            offset += Int64(chunk.count)
        }
        guard Array(hash.finalize()) == digest else { throw damage("its SHA-256 is another") }
        var held = IndexFingerprint()
        try events(in: first...last) { stored throws(SegmentError) in
            held.add(stored.event.stream, version: stored.event.version, position: stored.event.position)
            try take(stored)
        }
        var indexed = IndexFingerprint()
        try streams { stream, version, positions in
            for (index, position) in positions.enumerated() {
                indexed.add(stream, version: version + Int64(index), position: position)
            }
        }
        guard held == indexed else { throw damage("its index of streams does not fit") }
    }

    /// Hands out the index of streams, in the order of their names' bytes.
    func streams(_ take: (StreamName, Int64, [Int64]) throws(SegmentError) -> Void) throws(SegmentError) {
        for block in 0..<streamBlocks {
            var cursor = try streamBlock(block)
            while !cursor.isAtEnd {
                let stream = try cursor.stream()
                let (version, positions) = try entry(&cursor)
                try take(stream, version, positions)
            }
        }
    }

    // MARK: Finding

    private func entry(of stream: StreamName) throws(SegmentError) -> (version: Int64, positions: [Int64])? {
        // The last block whose first name is not above the one we look for.
        var low: Int64 = 0
        var high = streamBlocks
        while high - low > 1 {
            let middle = (low + high) / 2
            var cursor = try streamBlock(middle)
            if try cursor.stream() <= stream { low = middle } else { high = middle }
        }
        guard low < high else { return nil }
        var cursor = try streamBlock(low)
        while !cursor.isAtEnd {
            let name = try cursor.stream()
            let entry = try entry(&cursor)
            if name == stream { return entry }
        }
        return nil
    }

    private func entry(_ cursor: inout SegmentCursor) throws(SegmentError) -> (version: Int64, positions: [Int64]) {
        let version = try cursor.integer(Int64.self)
        guard 1..<(1 << 62) ~= version else { throw damage("its index of streams does not fit") }
        let count = try cursor.integer(UInt32.self)
        var positions: [Int64] = []
        for _ in 0..<count {
            let position = first + Int64(try cursor.integer(UInt32.self))
            guard position <= last else { throw damage("its index of streams does not fit") }
            positions.append(position)
        }
        return (version, positions)
    }

    private var streamBlocks: Int64 {
        let stride = Int64(SegmentFormat.streamStride)
        return (footer.streamCount + stride - 1) / stride
    }

    private func streamBlock(_ number: Int64) throws(SegmentError) -> SegmentCursor {
        let start = try offset(at: footer.streamTable + 8 * number)
        let isLast = number == streamBlocks - 1
        return try cursor(
            from: start,
            to: isLast ? footer.streamTable : try offset(at: footer.streamTable + 8 * number + 8)
        )
    }

    /// The block of 256 events with a position in it, and the position of its first.
    private func block(of position: Int64) throws(SegmentError) -> (SegmentCursor, Int64) {
        guard (first...last).contains(position) else { throw damage("position \(position) is not in it") }
        let stride = Int64(SegmentFormat.eventStride)
        let number = (position - first) / stride
        let start = try offset(at: footer.eventTable + 8 * number)
        let isLast = number == (last - first) / stride
        let end = isLast ? footer.eventTable : try offset(at: footer.eventTable + 8 * number + 8)
        return (try cursor(from: start, to: end), first + number * stride)
    }

    private func offset(at place: Int64) throws(SegmentError) -> Int64 {
        var cursor = SegmentCursor(try read(at: place, count: 8), of: name)
        let offset = try cursor.integer(Int64.self)
        guard 0...size ~= offset else { throw damage("its tables do not fit") }
        return offset
    }

    private func cursor(from start: Int64, to end: Int64) throws(SegmentError) -> SegmentCursor {
        guard start < end else { throw damage("its tables do not fit") }
        return SegmentCursor(try read(at: start, count: Int(end - start)), of: name)
    }

    private func read(at offset: Int64, count: Int) throws(SegmentError) -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= size, Int64(count) <= size - offset else {
            throw damage("its tables do not fit")
        }
        return try Self.read(handle, name, at: offset, count: count)
    }

    private static func read(
        _ handle: Int32,
        _ name: String,
        at offset: Int64,
        count: Int
    ) throws(SegmentError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(handle, buffer.baseAddress?.advanced(by: done), count - done, Int(offset) + done)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .missing("\(name) cannot be read (\(String(cString: strerror(errno))))") }
            guard got > 0 else { throw .damaged("\(name) is damaged: it is cut off") }
            done += got
        }
        return bytes
    }

    private func damage(_ what: String) -> SegmentError { .damaged("\(name) is damaged: \(what)") }
}
