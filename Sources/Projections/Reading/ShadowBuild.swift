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

/// A read model as it was at a moment, folded in memory and thrown away: for auditors, and never for much.
package struct ShadowBuild: Sendable {
    private let log: any EventLog
    /// How many events are folded, at most.
    private let most: Int
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - log: What is folded.
    ///   - most: How many events, at most.
    ///   - now: What time it is: what will be cannot be shown.
    package init(
        log: any EventLog,
        most: Int = 100_000,
        now: @escaping @Sendable () -> Timestamp = { IDSource.system.now() }
    ) {
        self.log = log
        self.most = most
        self.now = now
    }

    /// The rows of a read model, by its name, in the order of their keys.
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
    ) async throws(ReadError) -> Reading<[ShadowRow]>? {
        guard let projection = Registry.all.first(where: { $0.name == name }) else { return nil }
        func fold<P: Projection>(_: P.Type) async throws(ReadError) -> Reading<[ShadowRow]> {
            let reading = try await self.fold(P.self, organization, moment)
            var rows: [ShadowRow] = []
            for (key, position, row) in reading.value {
                do {
                    let value = try JSON.decode(JSONValue.self, from: JSON.encode(row))
                    rows.append(ShadowRow(key: key, position: position, row: value))
                } catch {
                    throw .unavailable
                }
            }
            return Reading(rows, at: reading.position)
        }
        return try await fold(projection)
    }

    /// Folds what an organization's events, or all, had made of a read model.
    ///
    /// What lacks a row is passed over: an erased payload would have made it.
    func fold<P: Projection>(
        _: P.Type,
        _ organization: OrganizationID?,
        _ moment: Moment
    ) async throws(ReadError) -> Reading<[(key: String, position: Int64, row: P.Row)]> {
        let frontier: Int64
        do { frontier = try await log.frontier() } catch { throw .unavailable }
        var end = frontier
        var filter = EventFilter(types: P.reads.sorted(), organization: organization)
        switch moment {
        case .position(let position):
            guard position <= frontier else { throw .behind(position: frontier) }
            end = position
        case .time(let time):
            guard time <= now() else { throw .future }
            filter.to = time + .microseconds(1)
        case .version, .now: break
        }
        var events: [RecordedEvent] = []
        var read: Int64 = 0
        while read < end {
            let page: EventPage
            do {
                page = try await log.read(after: read, through: end, matching: filter, limit: 5000)
                try page.check(after: read, for: .history)
            } catch { throw .unavailable }
            guard page.scannedTo > read else { throw .unavailable }
            events += page.events
            read = page.scannedTo
            guard events.count <= most else { throw .tooMuch(most) }
        }
        var fold = PageFold<P>()
        fold.decode(events)
        fold.run()
        if !fold.lacking.isEmpty {
            var again = PageFold<P>(torn: fold.lacking)
            again.decode(events)
            again.run()
            fold = again
        }
        let touched = fold.touched
        let rows = fold.rows.map { (key: $0.key, position: touched[$0.key] ?? 0, row: $0.value) }
        let position = if case .time = moment { events.last?.position ?? 0 } else { end }
        return Reading(rows.sorted { $0.key < $1.key }, at: position)
    }
}
