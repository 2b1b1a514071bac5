internal import Domain
package import EventStore
package import Kernel

/// One row as it was.
package struct ShadowRow: Codable, Equatable, Sendable {
    package var key: String
    /// Of the last event that had changed it.
    package var position: Int64
    package var row: JSONValue
}

/// What a read model showed.
package struct ShadowTable: Sendable, Equatable {
    /// In the order of their keys.
    package var rows: [ShadowRow]
    /// Why some rows are not what they should be: the first event of an organization that could not be folded.
    package var blocked: [Poison]
}

/// The events of a read model, by its name, that an operator had passed over for good.
package typealias SkippedEvents = @Sendable (_ name: String) async throws(ReadError) -> Set<Int64>

/// A read model as it was at a moment, folded in memory and thrown away: for auditors, and never for much.
package struct ShadowBuild: Sendable {
    private let log: any EventLog
    /// How many events are folded, at most.
    private let most: Int
    /// How many stretches of the log are looked at, at most.
    private let mostReads: Int
    private let now: @Sendable () -> Timestamp
    private let skipped: SkippedEvents
    private let projections: [any Projection.Type]

    /// - Parameters:
    ///   - log: What is folded.
    ///   - most: How many events, at most.
    ///   - mostReads: How many stretches of the log are looked at, at most, each of 65,536 positions at most.
    ///   - now: What time it is: what will be cannot be shown.
    ///   - skipped: What is passed over.
    ///   - projections: Those that there are.
    package init(
        log: any EventLog,
        most: Int = 100_000,
        mostReads: Int = 256,
        now: @escaping @Sendable () -> Timestamp = { IDSource.system.now() },
        skipped: @escaping SkippedEvents = { _ throws(ReadError) in [] },
        projections: [any Projection.Type] = Registry.all
    ) {
        self.log = log
        self.most = most
        self.mostReads = mostReads
        self.now = now
        self.skipped = skipped
        self.projections = projections
    }

    /// The rows of a read model, by its name.
    ///
    /// - Parameters:
    ///   - name: As in ``Registry``.
    ///   - organization: Only what one organization's events made; `nil` for all.
    ///   - moment: When.
    /// - Returns: The rows, and up to where was folded; `nil` when there is no such read model.
    /// - Throws: ``ReadError``; `tooMuch` when more would have to be folded than is good for a server.
    package func rows(
        of name: String,
        organization: OrganizationID? = nil,
        at moment: Moment
    ) async throws(ReadError) -> Reading<ShadowTable>? {
        guard let projection = projections.first(where: { $0.name == name }) else { return nil }
        func fold<P: Projection>(_: P.Type) async throws(ReadError) -> Reading<ShadowTable> {
            let span = try await span(to: moment)
            let reading = try await self.fold(P.self, organization, span)
            var rows: [ShadowRow] = []
            for (key, position, row) in reading.value.rows {
                do {
                    var value = try JSON.decode(JSONValue.self, from: JSON.encode(row))
                    if case .object(let members) = value {
                        value = .object(members.filter { !P.secrets.contains($0.key) })
                    }
                    rows.append(ShadowRow(key: key, position: position, row: value))
                } catch {
                    throw .unavailable
                }
            }
            return Reading(ShadowTable(rows: rows, blocked: reading.value.blocked), at: reading.position)
        }
        return try await fold(projection)
    }

    /// How much of the log has to be folded; the same for all that one answer is made of.
    struct Span: Sendable {
        var end: Int64
        /// What was recorded at this time or later is not wanted.
        var to: Timestamp?
    }

    /// Finds out how far the log goes to a moment.
    func span(to moment: Moment) async throws(ReadError) -> Span {
        let frontier: Int64
        do { frontier = try await log.frontier() } catch { throw .unavailable }
        switch moment {
        case .position(let position):
            guard position <= frontier else { throw .beyond(end: frontier) }
            return Span(end: position)
        case .time(let time):
            guard time <= now() else { throw .future }
            return Span(end: frontier, to: time + .microseconds(1))
        case .version, .now: return Span(end: frontier)
        }
    }

    /// Folds what an organization's events, or all, had made of a read model.
    ///
    /// What lacks a row is passed over: an erased payload, or an event that is skipped, would have made it.
    func fold<P: Projection>(
        _: P.Type,
        _ organization: OrganizationID?,
        _ span: Span
    ) async throws(ReadError) -> Reading<(rows: [(key: String, position: Int64, row: P.Row)], blocked: [Poison])> {
        var filter = EventFilter(types: P.reads.sorted(), organization: organization)
        filter.to = span.to
        var events: [RecordedEvent] = []
        var read: Int64 = 0
        var reads = 0
        while read < span.end {
            let page: EventPage
            do {
                page = try await log.read(after: read, through: span.end, matching: filter, limit: 5000)
                try page.check(after: read, for: .history)
            } catch { throw .unavailable }
            guard page.scannedTo > read else { throw .unavailable }
            events += page.events
            read = page.scannedTo
            reads += 1
            guard events.count <= most, reads <= mostReads else { throw .tooMuch(most) }
        }
        let skipped = try await skipped(P.name)
        var fold = PageFold<P>(skipped: skipped)
        fold.decode(events)
        fold.run()
        if !fold.lacking.isEmpty {
            var again = PageFold<P>(torn: fold.lacking, skipped: skipped)
            again.decode(events)
            again.run()
            fold = again
        }
        let touched = fold.touched
        let rows = fold.rows.map { (key: $0.key, position: touched[$0.key] ?? 0, row: $0.value) }
        let position = span.to == nil ? span.end : events.last?.position ?? 0
        return Reading((rows.sorted { $0.key < $1.key }, fold.poisoned), at: position)
    }
}
