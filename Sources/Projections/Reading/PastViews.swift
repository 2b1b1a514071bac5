internal import Domain
package import EventStore
package import Kernel

/// What the read models would have answered at a moment: the same folds, over a stream as far as it had got then.
package struct PastViews: Sendable {
    private let log: any EventLog
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - log: What is folded.
    ///   - now: What time it is: what will be cannot be shown.
    package init(log: any EventLog, now: @escaping @Sendable () -> Timestamp = { IDSource.system.now() }) {
        self.log = log
        self.now = now
    }

    /// An organization as it was.
    ///
    /// - Throws: ``ReadError``; `behind` when the log has not got so far.
    package func organization(
        _ id: OrganizationID,
        at moment: Moment
    ) async throws(ReadError) -> Reading<OrganizationView?> {
        try await fold(Organizations.self, OrganizationEvent.category, id, moment)
    }

    /// A subscription as it was.
    ///
    /// - Throws: ``ReadError``; `behind` when the log has not got so far.
    package func subscription(
        _ id: SubscriptionID,
        at moment: Moment
    ) async throws(ReadError) -> Reading<SubscriptionView?> {
        try await fold(Subscriptions.self, SubscriptionEvent.category, id, moment)
    }

    /// An instance as it was, with its subscription as that was.
    ///
    /// - Throws: ``ReadError``; `behind` when the log has not got so far.
    package func instance(_ id: InstanceID, at moment: Moment) async throws(ReadError) -> Reading<InstanceView?> {
        let reading = try await fold(Instances.self, InstanceEvent.category, id, moment)
        guard let row = reading.value else { return reading.map { _ in nil } }
        let paid = try await subscription(row.subscriptionID, at: moment)
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
        let shadow = ShadowBuild(log: log, now: now)
        let instances = try await shadow.fold(Instances.self, organization, moment)
        let paid = try await shadow.fold(Subscriptions.self, organization, moment)
        let states = Dictionary(paid.value.map { ($0.row.id, $0.row.status) }) { first, _ in first }
        return try Self.part(page, of: "instances \(organization) at \(moment)", instances) { row in
            (row.id.value, InstanceView(row, subscription: states[row.subscriptionID]))
        }
    }

    /// All organizations as they were, oldest first, without those that were deleted then.
    ///
    /// - Throws: ``ReadError``; `tooMuch` when too many events had happened.
    package func organizations(
        at moment: Moment,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<OrganizationView>> {
        var all = try await ShadowBuild(log: log, now: now).fold(Organizations.self, nil, moment)
        all.value.removeAll { $0.row.status == .deleted }
        return try Self.part(page, of: "organizations at \(moment)", all) { ($0.id.value, $0) }
    }

    private static func part<Row, View: Codable & Equatable & Sendable>(
        _ request: PageRequest,
        of list: String,
        _ reading: Reading<[(key: String, position: Int64, row: Row)]>,
        _ view: (Row) -> (Int64, View)
    ) throws(ReadError) -> Reading<Page<View>> {
        let after = try Cursor(request.after, of: list)?.last ?? 0
        let rest = reading.value.map { view($0.row) }.sorted { $0.0 < $1.0 }.filter { $0.0 > after }
        let part = rest.prefix(request.limit)
        let next = rest.count > request.limit ? part.last.map { Cursor(list: list, last: $0.0).text } : nil
        return Reading(Page(data: part.map(\.1), next: next), at: reading.position)
    }

    private func fold<P: Projection>(
        _: P.Type,
        _ category: String,
        _ id: some CustomStringConvertible,
        _ moment: Moment
    ) async throws(ReadError) -> Reading<P.Row?> {
        let frontier: Int64
        do { frontier = try await log.frontier() } catch { throw .unavailable }
        // What the log has not got to cannot be shown as it was then.
        if case .position(let position) = moment, position > frontier { throw .behind(position: frontier) }
        if case .time(let time) = moment, time > now() { throw .future }
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
                    guard let entry = try Entry(record) else {
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
