internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Sagas
internal import SignalboxTestKit
internal import Synchronization

extension Simulation {
    /// Plays a schedule to its end.
    ///
    /// One process after the other suffers its fault; only one of them moves at any time, so the same schedule always
    /// comes out the same.
    ///
    /// - Parameter schedule: What goes wrong.
    /// - Returns: What is wrong with how it ended, and how it ended.
    /// - Throws: What the log throws.
    package func play(_ schedule: Schedule) async throws -> Outcome {
        do {
            let points = try await race(schedule)
            var outcome = try await conclude()
            outcome.points = points
            outcome.failed = try failed()
            return outcome
        } catch let endless as Endless {
            return Outcome(ends: [:], violations: [endless.description])
        }
    }

    /// How a schedule came out.
    package struct Outcome: Sendable {
        /// How many sagas ended how: `completed`, `compensated`, `superseded`, `parked`.
        package var ends: [String: Int]
        package var violations: [String]
        /// The steps of which an attempt, or an undo, failed: the saga's kind, and the step.
        package var failed: Set<String> = []
        /// How many points the last process has passed.
        package var points = 0
    }

    private func race(_ schedule: Schedule) async throws -> Int {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var standing: [Gate] = []
            var processes: [SimulatedProcess] = []
            defer { for process in processes { process.forget() } }
            for strike in schedule.strikes {
                let gate = Gate()
                let process = process(suffering: strike, gate, late: schedule.late)
                processes.append(process)
                group.addTask {
                    do {
                        try await self.settle(process)
                        await gate.leave()
                    } catch {
                        await gate.leave()
                        throw error
                    }
                }
                await gate.arrival()
                if strike.fault == .zombie { standing.append(gate) }
            }
            let release: @Sendable () async -> Void = { [standing, world] in
                world.land()
                for gate in standing {
                    await gate.open()
                    await gate.departure()
                }
            }
            let last = SimulatedProcess { number, _ in
                if number == schedule.late { await release() }
                return .go
            }
            processes.append(last)
            try await settle(last)
            await release()
            try await group.waitForAll()
            try await settle(SimulatedProcess())
            return last.points.count
        }
    }

    private func process(suffering strike: Schedule.Strike, _ gate: Gate, late: Int?) -> SimulatedProcess {
        let box = Mutex<SimulatedProcess?>(nil)
        let process = SimulatedProcess { [self] number, _ in
            if strike.fault == .late, let late, number == strike.point + late + 1 { world.land() }
            guard number == strike.point else { return .go }
            if strike.deletes { await deleteOrganization() }
            if let verdict = strike.fault.verdict { return verdict }
            box.withLock { $0 }?.dismiss()
            await gate.arrive()
            return .go
        }
        box.withLock { $0 = process }
        return process
    }

    /// Looks at everything, lets a person see to what is parked, and looks again.
    func conclude() async throws -> Outcome {
        if isReconciled { try await reconcile() }
        var outcome = Outcome(ends: [:], violations: try await violations())
        for _ in 0..<4 {
            let parked = try await log.list(kinds: nil, statuses: ["parked"])
            if parked.isEmpty { break }
            for item in parked {
                outcome.ends["parked", default: 0] += 1
                let reasons = try history(of: SagaEvent.self, in: item.stream).compactMap { event -> String? in
                    guard case .parked(let fact) = event else { return nil }
                    return fact.reason
                }
                if reasons.last?.isEmpty ?? true {
                    outcome.violations.append("\(item.stream) is parked without a reason")
                }
                try await operations().retry(Self.saga(item), SagaDeed(actor: "operator-1", reason: "seen to"))
            }
            try await settle(SimulatedProcess())
            if isReconciled { try await reconcile() }
            outcome.violations += try await violations()
        }
        for item in try await log.list(kinds: nil, statuses: Self.statuses) {
            outcome.ends[item.status, default: 0] += 1
            if item.status == "parked" { outcome.violations.append("\(item.stream) stays parked") }
        }
        return outcome
    }

    private func failed() throws -> Set<String> {
        let types = [SagaEvent.Name.stepAttemptFailed.rawValue, SagaEvent.Name.undoAttemptFailed.rawValue]
        var found: Set<String> = []
        for event in log.events where types.contains(event.type) {
            let kind = event.stream.text.dropFirst("\(SagaEvent.category)-".count).prefix { $0 != "." }
            let step = try JSON.decode(JSONValue.self, from: event.payload ?? [])["step"]?.string ?? ""
            found.insert("\(kind) \(step)")
        }
        return found
    }

    private static func saga(_ item: WorkItem) -> UniqueID {
        item.stream.id.split(separator: ".").last.flatMap { UniqueID($0) } ?? UniqueID(0)
    }

    /// What it means that the organization is deleted.
    package enum Deletion: Sendable {
        /// Whatever runs is cancelled.
        case cancels
        /// The saga that deletes the organization begins, and everything that follows from it.
        case follows
        /// It is deleted anyway.
        case isTheCause
    }

    /// Somebody deletes the organization; too late is fine.
    package func deleteOrganization() async {
        do {
            switch deletion {
            case .cancels:
                let deed = SagaDeed(actor: "operator-1", reason: "the organization is deleted")
                for item in try await log.list(kinds: nil, statuses: SagaEngine.activeStatuses) {
                    try await operations().cancel(Self.saga(item), deed)
                }
            case .follows: try await requestDeletion()
            case .isTheCause: break
            }
        } catch {
            // There was no way back any more.
        }
    }

    /// Asks for the deletion of the organization.
    func requestDeletion() async throws {
        let stream = Streams.organization(organization)
        let aggregate = try await Aggregates(log: log).load(Organization.self, from: stream)
        let events = try aggregate.decide(.requestDeletion(reason: "asked"))
        guard !events.isEmpty else { return }
        let write = try aggregate.write(events, ids: clock.ids, first: clock.ids.unique())
        let causation = Causation(actor: "user-7", command: clock.ids.unique())
        _ = try await log.append(AppendRequest(causation: causation, writes: [write]))
    }
}
