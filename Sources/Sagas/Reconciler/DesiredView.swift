internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// What the plane wants of every instance: a fold of their streams that follows the log.
struct DesiredView: Sendable {
    /// One instance, and where its stream is.
    struct Known: Sendable {
        var state = Instance()
        var version: Int64 = 0
        var last: UniqueID?
        var correlation: UniqueID?
        var organization: OrganizationID?
        var drifts: [FindingKey: KnownDrift] = [:]
    }

    private(set) var known: [InstanceID: Known] = [:]
    private var position: Int64 = 0

    /// Takes in what has happened since.
    ///
    /// - Throws: ``EventStore/LogError``; what was read will be read again.
    mutating func catchUp(_ log: any EventLog) async throws(LogError) {
        while true {
            let page = try await log.read(
                after: position,
                through: nil,
                matching: EventFilter(categories: [InstanceEvent.category]),
                limit: 5000
            )
            try page.check(after: position, for: .reconciler)
            guard page.scannedTo > position else { return }
            for event in page.events { try take(event) }
            position = page.scannedTo
        }
    }

    private mutating func take(_ event: RecordedEvent) throws(LogError) {
        guard let id = InstanceID(event.stream.id) else { return }
        var one = known[id] ?? Known()
        (one.version, one.last, one.correlation) = (event.version, event.id, event.correlation)
        one.organization = event.organization
        if let payload = event.payload {
            let fact: InstanceEvent?
            do {
                fact = try InstanceEvent.decode(
                    type: event.type,
                    schemaVersion: event.schemaVersion,
                    payload: payload
                )
            } catch { throw .violated("\(event.stream) \(event.version) cannot be read as \(event.type)") }
            if let fact {
                one.state.evolve(fact)
                one.note(fact, of: id, at: event.recordedAt)
            }
        }
        known[id] = one
    }

    /// As it can be compared; `busy` are the lanes that a saga is in.
    func desired(busy: Set<String>, _ names: Names) -> [DesiredInstance] {
        known.map { id, one in
            let state = one.state
            return DesiredInstance(
                id: id,
                stage: state.stage,
                generation: state.generation,
                database: state.database?.database,
                role: state.database?.role,
                login: state.database.map { database in
                    names.login(role: database.role, rotation: state.credentials?.rotation ?? 1)
                },
                quarantined: state.quarantine?.renamed,
                job: state.workload?.job,
                modifyIndex: state.workload?.modifyIndex,
                route: state.route,
                subscription: state.requested?.subscription,
                conditions: state.conditions,
                drifts: one.drifts,
                isBusy: busy.contains("instance-\(id)")
            )
        }
    }
}

extension DesiredView.Known {
    fileprivate mutating func note(_ fact: InstanceEvent, of id: InstanceID, at moment: Timestamp) {
        switch fact {
        case .driftDetected(let drift):
            if let key = drift.key(of: id) { drifts[key] = KnownDrift(fact: drift, at: moment) }
        case .driftRepaired(let drift):
            if let key = drift.key(of: id) { drifts[key] = nil }
        default: break
        }
    }
}

extension InstanceEvent.Drift {
    /// `nil` for one that this build does not know.
    func key(of instance: InstanceID) -> FindingKey? {
        DriftKind(rawValue: what).map { FindingKey(instance: instance, kind: $0, name: name ?? "") }
    }
}
