package import EventStore
internal import Kernel

extension EventHistory {
    /// How far somebody has read who reads to the end.
    package struct Place: Sendable, Equatable {
        /// Begins after this position.
        package var position: Int64
        /// How far its stream was read, when only one is wanted.
        package var version: Int64

        package init(after position: Int64, version: Int64 = 0) {
            self.position = position
            self.version = version
        }
    }

    /// The durable events of one stream after a version, in order, at most so many.
    ///
    /// - Throws: ``LogError``.
    package func stream(
        _ stream: StreamName,
        after version: Int64,
        limit: Int
    ) async throws(LogError) -> [RecordedEvent] {
        // The frontier first: what the stream has by then is looked for, whatever is appended meanwhile.
        let frontier = try await log.frontier()
        return try await log.read(stream, after: version, limit: limit).filter { $0.position <= frontier }
    }

    /// The next stretch of everything that a filter lets through, for who wants all of it and holds little of it.
    ///
    /// - Parameters:
    ///   - filter: Which events are wanted.
    ///   - place: How far was read; moved on.
    ///   - end: The last position wanted; not above the frontier.
    /// - Returns: Some events, perhaps none; `nil` when the end was reached.
    /// - Throws: ``LogError``.
    package func page(
        _ filter: EventFilter,
        from place: inout Place,
        through end: Int64
    ) async throws(LogError) -> [RecordedEvent]? {
        guard place.position < end else { return nil }
        guard let stream = filter.stream else {
            let page = try await log.read(
                after: place.position,
                through: end,
                matching: filter,
                limit: Self.stride
            )
            guard page.scannedFrom == place.position + 1, page.scannedTo > place.position else {
                throw .violated("after \(place.position) came \(page.scannedFrom)…\(page.scannedTo)")
            }
            place.position = page.scannedTo
            return page.events
        }
        let page = try await log.read(stream, after: place.version, limit: Self.stride)
        let start = place.position
        place.version = page.last?.version ?? place.version
        if page.count < Self.stride || page.last.map({ $0.position >= end }) ?? true { place.position = end }
        return page.filter { $0.position > start && $0.position <= end && filter.matches($0) }
    }
}
