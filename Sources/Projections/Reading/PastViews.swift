internal import Domain
package import EventStore
package import Kernel

/// What the read models would have answered at a moment: the same folds, over a stream as far as it had got then.
package struct PastViews: Sendable {
    private let log: any EventLog
    private let skipped: SkippedEvents
    private let shadow: ShadowBuild
    /// For lists, which take the memory and the processor for many at once.
    private let turnstile: Turnstile

    /// - Parameters:
    ///   - log: What is folded.
    ///   - now: What time it is: what will be cannot be shown.
    ///   - turnstile: How many lists may be made at a time.
    ///   - skipped: What the read models pass over.
    package init(
        log: any EventLog,
        now: @escaping @Sendable () -> Timestamp = { IDSource.system.now() },
        turnstile: Turnstile = Turnstile(2),
        skipped: @escaping SkippedEvents = { _ throws(ReadError) in [] }
    ) {
        self.log = log
        self.skipped = skipped
        self.turnstile = turnstile
        shadow = ShadowBuild(log: log, now: now, skipped: skipped)
    }

    /// An organization as it was.
    ///
    /// - Throws: ``ReadError``; `behind` when the log has not got so far.
    package func organization(
        _ id: OrganizationID,
        at moment: Moment
    ) async throws(ReadError) -> Reading<OrganizationView?> {
        let frontier = try await frontier(for: moment)
        return try await fold(Organizations.self, OrganizationEvent.category, id, moment, frontier)
    }

    /// A subscription as it was.
    ///
    /// - Throws: ``ReadError``; `behind` when the log has not got so far.
    package func subscription(
        _ id: SubscriptionID,
        at moment: Moment
    ) async throws(ReadError) -> Reading<SubscriptionView?> {
        let frontier = try await frontier(for: moment)
        return try await fold(Subscriptions.self, SubscriptionEvent.category, id, moment, frontier)
    }

    /// An instance as it was, with its subscription as that was.
    ///
    /// - Throws: ``ReadError``; `behind` when the log has not got so far.
    package func instance(_ id: InstanceID, at moment: Moment) async throws(ReadError) -> Reading<InstanceView?> {
        // One end for both, or the subscription might be newer than the instance.
        let frontier = try await frontier(for: moment)
        let reading = try await fold(Instances.self, InstanceEvent.category, id, moment, frontier)
        guard let row = reading.value else { return reading.map { _ in nil } }
        // Versions are those of the instance's stream.
        let then = if case .version = moment { Moment.position(reading.position) } else { moment }
        let (category, key) = (SubscriptionEvent.category, row.subscriptionID)
        let paid = try await fold(Subscriptions.self, category, key, then, frontier)
        return reading.map { _ in InstanceView(row, subscription: paid.value?.status) }
    }

    /// The instances of an organization as they were, with their subscriptions as those were; oldest first.
    ///
    /// - Throws: ``ReadError``; `tooMuch` when too many events had happened to the organization.
    package func instances(
        of organization: OrganizationID,
        at moment: Moment,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<InstanceView>> {
        try await turnstile.pass { () throws(ReadError) in
            let span = try await shadow.span(to: moment)
            let instances = try await shadow.fold(Instances.self, organization, span)
            let paid = try await shadow.fold(Subscriptions.self, organization, span).value
            let states = Dictionary(paid.rows.map { ($0.row.id, $0.row.status) }) { first, _ in first }
            let list = "instances \(organization) at \(moment)"
            let blocked = instances.value.blocked + paid.blocked
            return try Self.part(page, of: list, instances.map(\.rows), blocked) { row in
                (row.id.value, InstanceView(row, subscription: states[row.subscriptionID]))
            }
        }
    }

    /// All organizations as they were, oldest first, without those that were deleted then.
    ///
    /// - Throws: ``ReadError``; `tooMuch` when too many events had happened.
    package func organizations(
        at moment: Moment,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<OrganizationView>> {
        try await turnstile.pass { () throws(ReadError) in
            let span = try await shadow.span(to: moment)
            let all = try await shadow.fold(Organizations.self, nil, span)
            let rows = all.map { $0.rows.filter { $0.row.status != .deleted } }
            return try Self.part(page, of: "organizations at \(moment)", rows, all.value.blocked) { ($0.id.value, $0) }
        }
    }

    private static func part<Row, View: Codable & Equatable & Sendable>(
        _ request: PageRequest,
        of list: String,
        _ reading: Reading<[(key: String, position: Int64, row: Row)]>,
        _ poisoned: [Poison],
        _ view: (Row) -> (Int64, View)
    ) throws(ReadError) -> Reading<Page<View>> {
        let after = try Cursor(request.after, of: list)?.last ?? 0
        let rest = reading.value.map { view($0.row) }.sorted { $0.0 < $1.0 }.filter { $0.0 > after }
        let part = rest.prefix(request.limit)
        let next = rest.count > request.limit ? part.last.map { Cursor(list: list, last: $0.0).text } : nil
        // The first event in the way of each; what is wrong with it is for operators.
        let first = Dictionary(poisoned.map { ($0.organization, $0.position) }, uniquingKeysWith: min)
        let blocked = first.sorted { $0.value < $1.value }.map { organization, position in
            BlockedOrganization(organizationId: OrganizationID(organization), position: position)
        }
        let answer = Page(data: part.map(\.1), next: next, blocked: blocked.isEmpty ? nil : blocked)
        return Reading(answer, at: reading.position)
    }

    /// Where the log ends, beyond which nothing is shown; what it has not got to cannot be shown as it was then.
    private func frontier(for moment: Moment) async throws(ReadError) -> Int64 {
        _ = try await shadow.span(to: moment)
        do { return try await log.frontier() } catch { throw .unavailable }
    }

    private func fold<P: Projection>(
        _: P.Type,
        _ category: String,
        _ id: some CustomStringConvertible,
        _ moment: Moment,
        _ frontier: Int64
    ) async throws(ReadError) -> Reading<P.Row?> {
        let skipped = try await skipped(P.name)
        do {
            var reader = StreamReader(
                log: log,
                stream: StreamName(category: category, id: id),
                through: moment,
                frontier: frontier
            )
            var row: P.Row?
            var last: Int64 = 0
            var isTorn = false
            while let page = try await reader.next() {
                for record in page {
                    last = record.position
                    guard !skipped.contains(record.position), let entry = try Entry(record) else {
                        isTorn = true
                        continue
                    }
                    do {
                        try P.fold(into: &row, entry)
                    } catch FoldError.missing where isTorn {
                        continue
                    }
                }
            }
            guard case .position(let position) = moment else { return Reading(row, at: last) }
            return Reading(row, at: position)
        } catch {
            throw .unavailable
        }
    }
}
