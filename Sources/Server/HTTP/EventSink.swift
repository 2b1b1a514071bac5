package import Hummingbird
internal import NIOCore

/// One server-sent event as WHATWG HTML defines it.
package struct ServerSentEvent: Sendable, Equatable {
    /// The log position after which a reader goes on when it comes back.
    package var id: Int64?
    package var name: String?
    /// One line of JSON.
    package var data: [UInt8]

    package init(id: Int64? = nil, name: String? = nil, data: [UInt8]) {
        self.id = id
        self.name = name
        self.data = data
    }

    /// The bytes on the wire; data with line breaks becomes several `data:` lines.
    package var bytes: [UInt8] {
        var text: [UInt8] = []
        if let id { text += Array("id: \(id)\n".utf8) }
        if let name { text += Array("event: \(name)\n".utf8) }
        for line in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            text += Array("data: ".utf8)
            text += line
            text.append(UInt8(ascii: "\n"))
        }
        text.append(UInt8(ascii: "\n"))
        return text
    }
}

/// Where server-sent events, or bytes of any length, are written to; writing waits for a slow reader.
package struct EventSink {
    private var writer: any ResponseBodyWriter
    private var lastWrite = ContinuousClock.now

    package init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    /// Says after how many milliseconds a browser comes back.
    @concurrent package mutating func retry(milliseconds: Int) async throws {
        try await write(Array("retry: \(milliseconds)\n\n".utf8))
    }

    /// Writes events in one go.
    @concurrent package mutating func send(_ events: [ServerSentEvent]) async throws {
        guard !events.isEmpty else { return }
        try await write(events.flatMap(\.bytes))
    }

    /// When ``heartbeat(after:)`` has something to write.
    func silentUntil(_ silence: Duration) -> ContinuousClock.Instant { lastWrite + silence }

    /// Keeps a connection alive on which nothing was written for so long, and notices that the reader has gone.
    @concurrent package mutating func heartbeat(after silence: Duration) async throws {
        guard ContinuousClock.now - lastWrite >= silence else { return }
        try await write(Array(": hb\n\n".utf8))
    }

    @concurrent consuming func finish() async throws {
        try await writer.finish(nil)
    }

    /// Writes bytes as they are.
    @concurrent package mutating func write(_ bytes: [UInt8]) async throws {
        try await writer.write(ByteBuffer(bytes: bytes))
        lastWrite = .now
    }
}
