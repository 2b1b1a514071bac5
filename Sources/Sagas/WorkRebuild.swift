internal import Domain
package import EventStore
internal import Kernel

/// Makes the rows of leased work anew from the log: they are a read model of it, except for who holds what.
package struct WorkRebuild: Sendable {
    private let log: any EventLog
    private let queue: PostgresWorkQueue
    private let definitions: SagaDefinitions

    package init(log: any EventLog, queue: PostgresWorkQueue, definitions: [SagaDefinition]) {
        self.log = log
        self.queue = queue
        self.definitions = SagaDefinitions(definitions)
    }

    /// What came of it.
    package struct Report: Sendable, Equatable, Codable {
        /// How many rows were made.
        package var restored = 0
        /// The sagas that could not be read, or that this build does not know; their rows stay as they are.
        package var skipped: [String] = []
    }

    /// Restores every saga; sagas that are driven meanwhile lose their lease and are taken up again.
    ///
    /// - Returns: What came of it.
    /// - Throws: ``EventStore/LogError``; what was restored by then is right.
    package func run() async throws(LogError) -> Report {
        var report = Report()
        var restored: Set<StreamName> = []
        var left = try await lanes()
        while !left.isEmpty {
            var moved: Set<StreamName> = []
            var batch: [[StreamName]] = []
            for (index, lane) in left.enumerated() {
                batch.append(lane)
                guard batch.reduce(0, { $0 + $1.count }) >= 500 || index == left.count - 1 else { continue }
                var rows: [RestoredWork] = []
                for lane in batch { rows += try await self.rows(of: lane, &report) }
                if !rows.isEmpty {
                    let late = try await queue.restore(rows)
                    moved.formUnion(late)
                    restored.formUnion(rows.lazy.map(\.row.stream).filter { !late.contains($0) })
                }
                batch = []
            }
            // What was appended to while it was read is read again, with its whole lane: the next in line was made to
            // sleep behind what may have ended since, and whoever ended it cannot have woken the row that came after.
            left = left.filter { lane in lane.contains(where: moved.contains) }
        }
        report.restored = restored.count
        report.skipped.sort()
        return report
    }

    /// The streams of all sagas, by lane; what has no lane stands alone.
    private func lanes() async throws(LogError) -> [[StreamName]] {
        var lanes: [String: [StreamName]] = [:]
        var position: Int64 = 0
        let end = try await log.frontier()
        while position < end {
            let page = try await log.read(
                after: position,
                through: end,
                matching: EventFilter(types: [SagaEvent.Name.started.rawValue]),
                limit: 1000
            )
            for event in page.events {
                var state = SagaState()
                // Whoever reads the whole stream says what is wrong with it.
                try? state.evolve(event)
                let lane = state.started?.lane ?? ""
                lanes[lane.isEmpty ? " \(event.stream.text)" : lane, default: []].append(event.stream)
            }
            position = page.scannedTo
        }
        return lanes.sorted { $0.key < $1.key }.map(\.value)
    }

    private func rows(of lane: [StreamName], _ report: inout Report) async throws(LogError) -> [RestoredWork] {
        var states: [(StreamName, SagaState, SagaDefinition)] = []
        for stream in lane {
            var history = SagaHistory(stream)
            do throws(SagaHistory.Failure) {
                try await history.refresh(log, nil)
            } catch {
                guard case .unavailable(let why) = error else {
                    report.skipped.append("\(error)")
                    continue
                }
                throw .unavailable(why)
            }
            guard let definition = definitions.definition(of: history.state) else {
                report.skipped.append("\(stream) is not known to this build")
                continue
            }
            states.append((stream, history.state, definition))
        }
        let isTaken = states.contains { $0.1.takesLane && $0.1.started?.lane.isEmpty == false }
        return states.map { stream, state, definition in
            RestoredWork(state.restored(stream, definition, isLaneTaken: isTaken), at: state.version)
        }
    }
}
