internal import Domain
internal import EventStore
internal import Kernel
internal import Logging

/// Tells the sagas of a lane that what happened to their subject makes them pointless.
///
/// A cancellation is an input, recorded once for each event: whoever holds the lease settles what is under way, sees it,
/// and turns back. Past the point of no return it is recorded as ignored.
struct SagaCanceller: Sendable {
    let log: any EventLog
    let queue: any WorkQueue
    let definitions: SagaDefinitions
    let ids: IDSource
    let logger: Logger

    /// Cancels what ``SagaCancellation`` says of this event; reading the event again changes nothing.
    func cancel(because event: RecordedEvent) async throws(LogError) {
        let kinds = SagaCancellation.kinds(cancelledBy: event.type)
        guard !kinds.isEmpty else { return }
        for lane in SagaCancellation.lanes(of: event.stream.text) {
            for item in try await queue.members(ofLane: lane) where kinds.contains(item.kind) {
                try await cancel(item, because: event)
            }
        }
    }

    private func cancel(_ item: WorkItem, because event: RecordedEvent) async throws(LogError) {
        var history = SagaHistory(item.stream)
        while true {
            do throws(SagaHistory.Failure) {
                try await history.refresh(log, nil)
            } catch {
                guard case .unavailable(let why) = error else {
                    logger.error("a saga was not cancelled", metadata: ["saga": "\(item.stream)", "why": "\(error)"])
                    return
                }
                throw .unavailable(why)
            }
            guard let events = decide(history.state, event) else { return }
            do throws(AppendError) {
                _ = try await log.append(try request(events, history.state, item, event))
                return
            } catch {
                switch error {
                case .conflict: continue
                case .unavailable: throw .unavailable("the cancellation of \(item.stream) was not written")
                default: throw .violated("the cancellation of \(item.stream) was refused: \(error)")
                }
            }
        }
    }

    /// What the event means to a saga; `nil` when nothing, or when it knows already.
    private func decide(_ state: SagaState, _ event: RecordedEvent) -> [SagaEvent]? {
        if case .ended = state.mode { return nil }
        guard !state.inputs.contains(event.id), let started = state.started else { return nil }
        // What was asked for afterwards is meant to happen.
        if let position = started.position, position >= event.position { return nil }
        guard let definition = definitions.definition(of: state) else { return nil }
        if case .compensating = state.mode {
            return [.inputIgnored(.init(event: event.id, why: "everything is being taken back already"))]
        }
        if state.committed(definition) {
            return [.inputIgnored(.init(event: event.id, why: "there is no way back any more"))]
        }
        return [
            .inputReceived(.init(event: event.id, type: event.type)),
            .cancelRequested(Because(reason: event.type)),
        ]
    }

    private func request(
        _ events: [SagaEvent],
        _ state: SagaState,
        _ item: WorkItem,
        _ cause: RecordedEvent
    ) throws(AppendError) -> AppendRequest {
        var new: [NewEvent] = []
        var after = state
        for event in events {
            do {
                new.append(NewEvent(id: ids.unique(), type: event.name.rawValue, payload: try event.payload()))
            } catch { throw .invalid("\(event.name.rawValue) is not JSON") }
            after.evolve(event, at: cause.recordedAt)
        }
        // Nobody holds what is parked: it is taken up again where it turns back.
        let isFreed = state.parked != nil && after.parked == nil
        var work: [WorkUpdate] = []
        if isFreed || state.parked == nil {
            let definition = definitions.definition(of: state)
            work.append(after.work(item.stream, guard: isFreed ? .seize : .wake, definition, wakeAt: WorkUpdate.atOnce))
        }
        return AppendRequest(
            causation: Causation(
                actor: cause.actor,
                command: cause.command,
                cause: cause.id,
                correlation: state.correlation
            ),
            writes: [
                StreamWrite(
                    item.stream,
                    organization: state.organization,
                    expecting: .version(state.version),
                    events: new
                )
            ],
            work: work
        )
    }
}
