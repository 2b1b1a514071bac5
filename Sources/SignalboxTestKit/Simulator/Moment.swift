internal import Domain
internal import EventStore
internal import Kernel
internal import SignalboxTestKit
internal import Synchronization

/// One point of a rehearsal, and all that was the case there.
package struct Moment: Sendable {
    package var label: SimulatedProcess.Point
    /// The step that was under way.
    package var step: String?
    /// Whether it is that saga, or none yet, that the process is at; others follow from it, and have their own scenarios.
    var isInFocus: Bool
    /// What tells whether anything has changed since another moment.
    var revision: Revision
    /// As a process that died there would have left it.
    var simulation: Simulation
    var pending: SimulatedProcess.Request?

    /// Plays a schedule whose first strike is here.
    ///
    /// What a dead process leaves is known from the rehearsal, so it need not be played again.
    func play(_ schedule: Schedule, from start: Simulation) async throws -> Simulation.Outcome {
        guard let first = schedule.strikes.first, first.fault == .crash || first.fault == .inFlight else {
            return try await start.copy().play(schedule)
        }
        let rest = Schedule(strikes: Array(schedule.strikes.dropFirst()), late: schedule.late)
        return try await left(by: first).play(rest)
    }

    /// What a process leaves that is struck here.
    func left(by strike: Schedule.Strike) async -> Simulation {
        let simulation = simulation.copy()
        if strike.fault == .inFlight, let pending { simulation.world.send(pending) }
        if strike.deletes { await simulation.deleteOrganization() }
        return simulation
    }
}

/// How far everything has come that outlives a process; targets change between the two points of a call only.
struct Revision: Equatable {
    var log: Int
    var now: Timestamp
    var checkpoint: Int64
}

extension [Moment] {
    /// Whether dying here leaves the same as dying at the point before: nothing has happened in between.
    func isRepeated(_ index: Int) -> Bool {
        guard case .before = self[index].label, let last = self[..<index].last(where: { !$0.label.isRead }),
            case .after = last.label
        else { return false }
        return last.revision == self[index].revision
    }
}

extension Simulation {
    /// What a process without faults passes, from here to the end.
    ///
    /// - Parameter kind: The saga whose steps are looked at.
    /// - Returns: Its points.
    /// - Throws: What ``settle(_:patience:)-(SimulatedProcess,_)`` throws.
    package func rehearse(kind: String) async throws -> [Moment] {
        let copy = copy()
        let moments = Mutex<[Moment]>([])
        let box = Mutex<SimulatedProcess?>(nil)
        let process = SimulatedProcess { _, point in
            let moment = Moment(
                label: point,
                step: copy.step(of: kind),
                isInFocus: copy.log.leased.allSatisfy { $0.kind == kind },
                revision: Revision(
                    log: copy.log.revision,
                    now: copy.clock.ids.now(),
                    checkpoint: copy.checkpoint.place()
                ),
                simulation: copy.copy(),
                pending: box.withLock { $0 }?.pending
            )
            moments.withLock { $0.append(moment) }
            return .go
        }
        box.withLock { $0 = process }
        defer { process.forget() }
        try await copy.settle(process)
        return moments.withLock { $0 }
    }

    /// The step that a saga of this kind is at.
    private func step(of kind: String) -> String? {
        let prefix = "saga-\(kind)."
        let last = log.events.last {
            $0.stream.text.hasPrefix(prefix) && $0.type == SagaEvent.Name.stepStarted.rawValue
        }
        guard let last,
            let event = try? SagaEvent.decode(
                type: last.type,
                schemaVersion: last.schemaVersion,
                payload: last.payload ?? []
            ), case .stepStarted(let fact) = event
        else { return nil }
        return fact.step
    }
}
