internal import Domain
package import EventStore
package import Kernel

/// What the read models would have answered at a moment: the same folds, over a stream as far as it had got then.
package struct PastViews: Sendable {
    private let log: any EventLog

    package init(log: any EventLog) {
        self.log = log
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
