internal import Domain
internal import EventStore
internal import Kernel
internal import Logging

/// What became of an append.
enum SagaAppend {
    case written([SagaEvent], version: Int64, last: UniqueID?)
    /// A stream was not where it was believed: read again, decide again.
    case moved
    /// Nothing was written: try again.
    case unavailable
    /// It will never be written as it is, and why.
    case refused(String)
    /// The lease is gone: drop everything.
    case gone
}

extension SagaEngine {
    /// Writes what a saga did, together with the facts it means and the state of its lease: one round trip.
    func append(
        _ draft: SagaDraft,
        facts: [StreamWrite],
        parent: SagaParent?,
        to state: SagaState,
        item: WorkItem,
        _ definition: SagaDefinition,
        at now: Timestamp
    ) async -> SagaAppend {
        let own: [NewEvent]
        var others = facts
        var work = [work(draft, after: state, item, definition, at: now)]
        do {
            own = try draft.events.map { event in
                NewEvent(
                    id: ids.unique(),
                    type: event.name.rawValue,
                    schemaVersion: event.schemaVersion,
                    payload: try event.payload()
                )
            }
            if let parent, let end = own.last {
                let (write, wake) = try parent.write(end, of: item.stream, ids.unique())
                others.append(write)
                if let wake { work.append(wake) }
            }
        } catch {
            logger.error("a saga's event is not JSON", metadata: ["saga": "\(item.stream)"])
            return .gone
        }
        let write = StreamWrite(
            item.stream,
            organization: state.organization,
            expecting: .version(state.version),
            events: own
        )
        let request = AppendRequest(
            causation: causation(state, definition),
            writes: [write] + others,
            work: work
        )
        do throws(AppendError) {
            let appended = try await log.append(request)
            let version = appended.versions[item.stream] ?? state.version + Int64(own.count)
            return .written(draft.events, version: version, last: own.last?.id)
        } catch {
            return understood(error, item)
        }
    }

    /// Whether the saga is still in our hands after this draft was written.
    func keepsLease(_ state: SagaState, _ draft: SagaDraft) -> Bool {
        draft.wakeAt == nil && (state.status == "running" || state.status == "compensating")
    }

    private func understood(_ error: AppendError, _ item: WorkItem) -> SagaAppend {
        switch error {
        case .conflict: return .moved
        case .unavailable: return .unavailable
        case .fenced:
            logger.info("a lease was lost", metadata: ["saga": "\(item.stream)", "fence": "\(item.fence)"])
            return .gone
        case .claimed, .commandReused, .invalid:
            logger.error("a saga's append was refused", metadata: ["saga": "\(item.stream)", "error": "\(error)"])
            return .refused("\(error)")
        }
    }

    private func causation(_ state: SagaState, _ definition: SagaDefinition) -> Causation {
        let cause = state.started?.cause ?? UniqueID(0)
        return Causation(
            actor: "saga-\(definition.kind)",
            command: cause,
            cause: state.last ?? cause,
            correlation: state.correlation,
            traceparent: state.traceparent
        )
    }

    private func work(
        _ draft: SagaDraft,
        after before: SagaState,
        _ item: WorkItem,
        _ definition: SagaDefinition,
        at now: Timestamp
    ) -> WorkUpdate {
        var state = before
        for event in draft.events { state.evolve(event, at: now) }
        return state.work(item.stream, guard: .holding(fence: item.fence), definition, wakeAt: draft.wakeAt)
    }
}
