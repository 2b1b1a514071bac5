internal import Domain
package import EventStore
package import Kernel

/// What operators see of the targets, and how they have one left alone or asked again; each deed is an event.
package struct TargetOperations: Sendable {
    private let log: any EventLog
    private let board: any TargetBoard
    private let ids: IDSource

    package init(log: any EventLog, board: any TargetBoard, ids: IDSource = .system) {
        self.log = log
        self.board = board
        self.ids = ids
    }

    /// Every target that was ever called, in order.
    package func list() async throws(SagaOperationError) -> [TargetView] {
        try await asked { () async throws(LogError) in try await board.list() }
    }

    /// Has a target left alone by every saga; those that are bound for it sleep, and use up no attempts.
    ///
    /// - Parameters:
    ///   - target: As in `nomad`.
    ///   - deed: Who does it, and why; its version is that of the stream `platform-targets`.
    /// - Throws: ``SagaOperationError``.
    package func open(_ target: String, _ deed: SagaDeed) async throws(SagaOperationError) {
        let reason = try await record(target, deed, PlatformEvent.targetOpened)
        try await asked { () async throws(LogError) in try await board.hold(target, because: reason) }
    }

    /// Forgets what was wrong with a target: every saga may call it at once.
    ///
    /// - Parameters:
    ///   - target: As in `nomad`.
    ///   - deed: Who does it, and why; its version is that of the stream `platform-targets`.
    /// - Throws: ``SagaOperationError``.
    package func close(_ target: String, _ deed: SagaDeed) async throws(SagaOperationError) {
        _ = try await record(target, deed, PlatformEvent.targetClosed)
        try await asked { () async throws(LogError) in try await board.free(target) }
    }

    /// The deed comes first: what is done without a trace is worse than what is recorded and has to be done again.
    private func record(
        _ target: String,
        _ deed: SagaDeed,
        _ make: (PlatformEvent.TargetSwitched) -> PlatformEvent
    ) async throws(SagaOperationError) -> String {
        guard target.utf8.count <= 100, target.utf8.allSatisfy({ 33...126 ~= $0 }), !target.isEmpty else {
            throw .notPossible("\(target.prefix(100).debugDescription) is not the name of a target")
        }
        let reason = SagaScribe.clean(deed.reason)
        let event = make(PlatformEvent.TargetSwitched(target: target, reason: reason))
        guard let stream = StreamName(PlatformEvent.targetStream) else { throw .broken("no stream") }
        do throws(AppendError) {
            let new: NewEvent
            do {
                new = NewEvent(id: ids.unique(), type: event.name.rawValue, payload: try event.payload())
            } catch { throw .invalid("\(event.name.rawValue) is not JSON") }
            _ = try await log.append(
                AppendRequest(
                    causation: Causation(actor: deed.actor, command: deed.command ?? ids.unique()),
                    writes: [
                        StreamWrite(
                            stream,
                            expecting: deed.expectedVersion.map { .version($0) } ?? .any,
                            events: [new]
                        )
                    ]
                )
            )
        } catch {
            switch error {
            case .conflict(_, _, let actual): throw .conflict(actual: actual)
            case .unavailable: throw .unavailable
            default: throw .broken("\(error)")
            }
        }
        return reason
    }

    private func asked<Value>(_ body: () async throws(LogError) -> Value) async throws(SagaOperationError) -> Value {
        do throws(LogError) {
            return try await body()
        } catch {
            switch error {
            case .unavailable: throw .unavailable
            case .violated(let what): throw .broken(what)
            }
        }
    }
}
