package import Domain
internal import EventStore
package import Kernel

/// The roll-outs with how far they are, one row each.
package enum Rollouts: Projection {
    package typealias Row = RolloutView

    package static let name = "rollouts"
    package static let shape = 1
    package static let reads = RolloutEvent.types

    package static func key(of entry: Entry) -> String? { entry.subject }

    package static func fold(into row: inout RolloutView?, _ entry: Entry) throws {
        guard case .rollout(let event) = entry.event else { return }
        if case .started(let fact) = event {
            guard let id = RolloutID(entry.subject) else { throw FoldError.missing(key: entry.subject) }
            row = RolloutView(id: id, operation: entry.record.id, fact, at: entry.at)
            return
        }
        guard var view = row else { throw FoldError.missing(key: entry.subject) }
        view.fold(event)
        view.updatedAt = entry.at
        row = view
    }
}

/// A roll-out as the API shows it.
package struct RolloutView: Codable, Equatable, Sendable {
    package enum Status: String, Codable, Sendable, CaseIterable {
        case running, paused, aborted, finished
    }

    /// One wave of it.
    package struct Wave: Codable, Equatable, Sendable {
        package enum Status: String, Codable, Sendable {
            case planned, running, finished
        }

        /// How far it goes, counted from the beginning: `1`, `10%`.
        package var target: String
        package var status: Status
        /// How many were asked, could be given the release, could not, and could not be asked.
        package var asked: Int
        package var changed: Int
        package var failed: [InstanceID]
        package var skipped: [RolloutEvent.Skipped]
    }

    package var id: RolloutID
    package var operationID: UniqueID
    package var version: String
    package var strategy: ReleaseStrategy
    package var status: Status
    /// Why it is as it is, when somebody or a gate made it so.
    @Nullable package var reason: String?
    package var bakeSeconds: Int64
    package var toleratedFailures: Int
    /// How many instances there were when it chose; 0 before.
    package var total: Int
    package var waves: [Wave]
    package var startedAt: Timestamp
    package var updatedAt: Timestamp

    package init(id: RolloutID, operation: UniqueID, _ fact: RolloutEvent.Started, at moment: Timestamp) {
        self.id = id
        operationID = operation
        version = fact.release.version
        strategy = fact.strategy
        status = .running
        reason = nil
        bakeSeconds = fact.bake
        toleratedFailures = fact.tolerated
        total = 0
        waves = fact.waves.map {
            Wave(target: $0, status: .planned, asked: 0, changed: 0, failed: [], skipped: [])
        }
        startedAt = moment
        updatedAt = moment
    }

    fileprivate mutating func fold(_ event: RolloutEvent) {
        switch event {
        case .started: break
        case .waveStarted(let fact):
            total = fact.total
            guard waves.indices.contains(fact.wave - 1) else { return }
            waves[fact.wave - 1].status = .running
            waves[fact.wave - 1].asked += fact.instances.count
            waves[fact.wave - 1].skipped += fact.skipped
        case .waveFinished(let fact):
            guard waves.indices.contains(fact.wave - 1) else { return }
            waves[fact.wave - 1].status = .finished
            waves[fact.wave - 1].changed = fact.changed.count
            waves[fact.wave - 1].failed = fact.failed
        case .paused(let fact): (status, reason) = (.paused, fact.reason)
        case .resumed(let fact): (status, reason) = (.running, fact.reason)
        case .aborted(let fact): (status, reason) = (.aborted, fact.reason)
        case .finished: if status != .aborted { status = .finished }
        }
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case operationID = "operationId"
        case version, strategy, status, reason, bakeSeconds, toleratedFailures, total, waves, startedAt, updatedAt
    }
}
