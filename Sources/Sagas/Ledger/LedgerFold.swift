internal import Domain
package import EventStore
internal import Kernel
internal import Platform

/// The resource ledger as a fold of the log: what was ever intended, and what is known to have become of it; pure.
package struct LedgerFold: Sendable, Equatable {
    package private(set) var rows: [LedgerRow.ID: LedgerRow]
    /// What was changed since it was made.
    package private(set) var changed: Set<LedgerRow.ID> = []

    /// - Parameter rows: What is known already.
    package init(_ rows: [LedgerRow] = []) {
        self.rows = Dictionary(rows.map { ($0.id, $0) }) { _, last in last }
    }

    /// The types of event that it takes in.
    package static let types = [
        SagaEvent.Name.stepStarted.rawValue, SagaEvent.Name.stepSucceeded.rawValue,
        SagaEvent.Name.undoStarted.rawValue, SagaEvent.Name.undoSucceeded.rawValue,
        InstanceEvent.Name.databaseQuarantined.rawValue, InstanceEvent.Name.databaseDropped.rawValue,
    ].sorted()

    /// Takes in one event of the log, in the log's order.
    ///
    /// - Throws: What decoding throws; the event must not be passed over then.
    package mutating func apply(_ event: RecordedEvent) throws {
        // What was erased named nothing: only payloads of people are.
        guard let payload = event.payload else { return }
        if event.stream.category == SagaEvent.category {
            let read = try SagaEvent.decode(
                type: event.type,
                schemaVersion: event.schemaVersion,
                payload: payload
            )
            if let read { apply(read, event) }
        } else {
            let read = try InstanceEvent.decode(
                type: event.type,
                schemaVersion: event.schemaVersion,
                payload: payload
            )
            if let read { apply(read, event) }
        }
    }

    private mutating func apply(_ fact: SagaEvent, _ event: RecordedEvent) {
        // An operator's word is no observation: what they pass over may be there.
        let isSeen = event.actor.hasPrefix("saga-")
        switch fact {
        case .stepStarted(let fact):
            for resource in fact.resources ?? [] { intend(resource, fact.step, event) }
        case .stepSucceeded(let fact):
            for id in touched(by: fact.step, event) where isSeen {
                let wasRemoved = rows[id]?.state == .deleting || fact.skipped == true
                change(id, to: wasRemoved ? .gone : .present, event)
            }
        case .undoStarted(let fact):
            for id in touched(by: fact.step, event) where rows[id]?.keeps == false && rows[id]?.state != .gone {
                change(id, to: .deleting, event)
            }
        case .undoSucceeded(let fact):
            let isKept = fact.note?.hasPrefix(UndoResult.kept) == true
            for id in touched(by: fact.step, event) where rows[id]?.keeps == false && isSeen {
                change(id, to: isKept ? .present : .gone, event)
            }
        default: break
        }
    }

    private mutating func apply(_ fact: InstanceEvent, _ event: RecordedEvent) {
        switch fact {
        case .databaseQuarantined(let fact):
            let id = LedgerRow.ID(kind: .database, name: fact.database)
            guard var row = rows[id] else { return }
            change(id, to: .gone, event)
            row.name = fact.renamed
            row.until = fact.until
            rows[row.id] = row
            change(row.id, to: .deleting, event)
        case .databaseDropped(let fact):
            for row in rows.values where row.instance == event.stream.text && row.state != .gone {
                let isIt =
                    switch row.kind {
                    case .database: row.name == fact.database || Names.isAside(row.name, of: fact.database)
                    // With its logins, which are called after it.
                    case .role: row.name == fact.role || Names.owner(ofLogin: row.name) == fact.role
                    default: false
                    }
                if isIt { change(row.id, to: .gone, event) }
            }
        default: break
        }
    }

    private mutating func intend(_ resource: IntendedResource, _ step: String, _ event: RecordedEvent) {
        let id = LedgerRow.ID(kind: resource.kind, name: resource.name)
        let removes = resource.removes == true
        let before = rows[id]
        let state: LedgerRow.State =
            switch before?.state {
            case .present where !removes: .present
            // What is known to be gone is not removed again.
            case .gone where removes: .gone
            default: removes ? .deleting : .intended
            }
        rows[id] = LedgerRow(
            kind: resource.kind,
            name: resource.name,
            instance: resource.instance,
            generation: resource.generation,
            organization: event.organization,
            saga: event.stream.text,
            step: step,
            state: state,
            keeps: resource.keeps ?? false,
            intendedAt: before?.intendedAt ?? event.recordedAt,
            changedAt: event.recordedAt,
            observedAt: before?.observedAt,
            until: removes ? before?.until : nil,
            position: event.position
        )
        changed.insert(id)
    }

    private func touched(by step: String, _ event: RecordedEvent) -> [LedgerRow.ID] {
        rows.values.filter { $0.saga == event.stream.text && $0.step == step }.map(\.id)
    }

    private mutating func change(_ id: LedgerRow.ID, to state: LedgerRow.State, _ event: RecordedEvent) {
        rows[id]?.state = state
        rows[id]?.changedAt = event.recordedAt
        rows[id]?.position = event.position
        if state == .present || state == .gone { rows[id]?.observedAt = event.recordedAt }
        if state == .gone { rows[id]?.until = nil }
        changed.insert(id)
    }
}
