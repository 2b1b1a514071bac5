internal import Domain
package import EventStore
internal import Kernel
internal import Logging

/// Why a build must not start: somebody has to finish these sagas with the build that knows them, or migrate them.
package struct UnknownSagas: Error, Equatable, CustomStringConvertible {
    /// Stream and what is not known of it, in the order of the streams.
    package var unknown: [String]

    package var description: String {
        "this build does not know what is under way: " + unknown.joined(separator: "; ")
    }
}

extension SagaEngine {
    /// The states in which a saga still has something to do.
    package static let activeStatuses = ["queued", "running", "waiting", "compensating", "parked"]

    /// Makes sure that every active saga names only what this build knows.
    ///
    /// - Returns: What is unknown; `nil` when all is well.
    /// - Throws: ``EventStore/LogError`` when the log cannot be asked.
    package func unknownSagas() async throws(LogError) -> UnknownSagas? {
        var unknown: [String] = []
        for item in try await queue.list(kinds: nil, statuses: Self.activeStatuses)
        where item.stream.category == SagaEvent.category {
            var history = SagaHistory(item.stream)
            do throws(SagaHistory.Failure) {
                try await history.refresh(log, snapshots)
            } catch {
                switch error {
                case .unavailable(let why): throw LogError.unavailable(why)
                case .newer(let what): unknown.append(what)
                // It is parked when its turn comes, or is already: a person is told either way, and the others go on.
                case .unreadable: continue
                }
                continue
            }
            guard let started = history.state.started else { continue }
            guard let definition = definitions.definition(started.kind, version: started.definition) else {
                let isKnown = definitions.latest(started.kind) != nil
                let what = isKnown ? "version \(started.definition) of \(started.kind)" : "kind \(started.kind)"
                unknown.append("\(item.stream) (\(what))")
                continue
            }
            let strange = started.steps.filter { definition.step($0) == nil }
            if !strange.isEmpty { unknown.append("\(item.stream) (steps \(strange.joined(separator: ", ")))") }
        }
        return unknown.isEmpty ? nil : UnknownSagas(unknown: unknown)
    }
}

extension SagaEngine {
    /// A saga that this build does not know, though another one does: it is left to that one.
    func unknown(_ item: WorkItem, _ state: SagaState) async {
        let version = "\(state.started?.definition ?? 0)"
        logger.error(
            "a saga is not known to this build",
            metadata: ["saga": "\(item.stream)", "version": "\(version)"]
        )
        await release(item, after: settings.lease)
    }

    /// A saga whose history could not be read: later, by another build, or by a person.
    func unread(_ item: WorkItem, _ failure: SagaHistory.Failure) async {
        switch failure {
        case .unavailable(let why):
            logger.warning("a saga cannot be read", metadata: ["saga": "\(item.stream)", "error": "\(why)"])
            await release(item, after: .seconds(1))
        case .newer(let what):
            logger.error("a saga is not known to this build", metadata: ["saga": "\(item.stream)", "error": "\(what)"])
            await release(item, after: settings.lease)
        case .unreadable(let what):
            logger.error("a saga cannot be read", metadata: ["saga": "\(item.stream)", "error": "\(what)"])
            await park(item, because: what)
        }
    }

    /// Leaves to a person what nobody can read, without reading it.
    private func park(_ item: WorkItem, because what: String) async {
        let parked = SagaEvent.parked(.init(step: item.step, reason: SagaScribe.clean("its history: \(what)")))
        let id = ids.unique()
        do {
            let event = NewEvent(
                id: id,
                type: parked.name.rawValue,
                schemaVersion: parked.schemaVersion,
                payload: try parked.payload()
            )
            let request = AppendRequest(
                causation: Causation(actor: "saga-\(item.kind)", command: id),
                writes: [StreamWrite(item.stream, expecting: .any, events: [event])],
                work: [
                    WorkUpdate(
                        item.stream,
                        guard: .holding(fence: item.fence),
                        kind: item.kind,
                        lane: item.lane,
                        status: "parked",
                        step: item.step,
                        target: item.target,
                        deadline: item.deadline
                    )
                ]
            )
            _ = try await log.append(request)
        } catch {
            logger.warning("a saga was not parked", metadata: ["saga": "\(item.stream)", "error": "\(error)"])
            await release(item, after: settings.lease)
        }
    }
}
