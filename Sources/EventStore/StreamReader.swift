package import Kernel

/// Reads a stream up to a moment, page after page, and nothing that might be lost in a crash.
package struct StreamReader: Sendable {
    private let log: any EventLog
    private let stream: StreamName
    private let moment: Moment
    private let frontier: Int64
    private var version: Int64 = 0
    private var isDone = false

    /// - Parameters:
    ///   - log: Where the stream is.
    ///   - stream: Which one.
    ///   - moment: Where to stop.
    ///   - frontier: The durable frontier of the log, or anything below it.
    package init(log: any EventLog, stream: StreamName, through moment: Moment, frontier: Int64) {
        self.log = log
        self.stream = stream
        self.moment = moment
        self.frontier = frontier
    }

    /// The next events, in order; `nil` at the end.
    ///
    /// - Throws: ``LogError``.
    package mutating func next() async throws(LogError) -> [RecordedEvent]? {
        guard !isDone else { return nil }
        let page = try await log.read(stream, after: version, limit: Self.pageSize)
        version = page.last?.version ?? version
        let events = page.prefix { event in
            event.position <= frontier
                && moment.includes(version: event.version, position: event.position, recordedAt: event.recordedAt)
        }
        isDone = page.count < Self.pageSize || events.count < page.count
        return events.isEmpty ? nil : Array(events)
    }

    private static let pageSize = 500
}
