internal import Domain
package import EventStore
package import Kernel

/// What operators see of the targets, and how they have one left alone or asked again; each deed is an event.
package struct TargetOperations: Sendable {
    private let log: any EventLog
    private let board: any TargetBoard
    private let targets: Set<String>?
    private let ids: IDSource

    /// - Parameters:
    ///   - log: Where each deed is recorded before it is done.
    ///   - board: What all processes know of the targets.
    ///   - targets: Those that there are; `nil` takes any name.
    ///   - ids: Of events.
    package init(
        log: any EventLog,
        board: any TargetBoard,
        targets: Set<String>? = nil,
        ids: IDSource = .system
    ) {
        self.log = log
        self.board = board
        self.targets = targets
        self.ids = ids
    }

    /// Every target that was ever called, in order, and the version that the next deed is for.
    package func list() async throws(SagaOperationError) -> TargetList {
        // The version first: what is done in between is then shown with a version that a deed is refused for.
        let version = try await asked { () async throws(LogError) in try await self.version() }
        let views = try await asked { () async throws(LogError) in try await board.list() }
        return TargetList(data: views, version: version)
    }

    /// Has a target left alone by every saga; those that are bound for it sleep, and use up no attempts.
    ///
    /// - Parameters:
    ///   - target: As in `nomad`.
    ///   - deed: Who does it, and why; its version is that of the stream `platform-targets`.
    /// - Returns: What the target is then; the same command again gets the same.
    /// - Throws: ``SagaOperationError``.
    @discardableResult
    package func open(_ target: String, _ deed: SagaDeed) async throws(SagaOperationError) -> SagaReceipt {
        let (receipt, reason) = try await record(target, deed, "held", PlatformEvent.targetOpened)
        guard try await isLast(receipt) else { return receipt }
        try await asked { () async throws(LogError) in try await board.hold(target, because: reason) }
        return receipt
    }

    /// Forgets what was wrong with a target: every saga may call it at once.
    ///
    /// - Parameters:
    ///   - target: As in `nomad`.
    ///   - deed: Who does it, and why; its version is that of the stream `platform-targets`.
    /// - Returns: What the target is then; the same command again gets the same.
    /// - Throws: ``SagaOperationError``.
    @discardableResult
    package func close(_ target: String, _ deed: SagaDeed) async throws(SagaOperationError) -> SagaReceipt {
        let (receipt, _) = try await record(target, deed, "closed", PlatformEvent.targetClosed)
        guard try await isLast(receipt) else { return receipt }
        try await asked { () async throws(LogError) in try await board.free(target) }
        return receipt
    }

    /// Whether nothing was said of any target since: a command that comes again must not undo what came after it, and
    /// yet finishes what a process that died between the deed's two parts has left.
    private func isLast(_ receipt: SagaReceipt) async throws(SagaOperationError) -> Bool {
        guard receipt.repeated else { return true }
        let known = try await asked { () async throws(LogError) in try await version() }
        return known == receipt.version
    }

    private func version() async throws(LogError) -> Int64 {
        guard let stream = StreamName(PlatformEvent.targetStream) else { return 0 }
        return try await log.readAll(stream).last?.version ?? 0
    }

    /// The deed comes first: what is done without a trace is worse than what is recorded and has to be done again.
    private func record(
        _ target: String,
        _ deed: SagaDeed,
        _ status: String,
        _ make: (PlatformEvent.TargetSwitched) -> PlatformEvent
    ) async throws(SagaOperationError) -> (SagaReceipt, reason: String) {
        guard target.utf8.count <= 100, target.utf8.allSatisfy({ 33...126 ~= $0 }), !target.isEmpty else {
            throw .notPossible("\(target.prefix(100).debugDescription) is not the name of a target")
        }
        if let targets, !targets.contains(target) { throw .notFound }
        let reason = SagaScribe.clean(deed.reason)
        let event = make(PlatformEvent.TargetSwitched(target: target, reason: reason))
        guard let stream = StreamName(PlatformEvent.targetStream) else { throw .broken("no stream") }
        let known = try await asked { () async throws(LogError) in try await version() }
        let expected = deed.expectedVersion ?? known
        let receipt = SagaReceipt(version: expected + 1, status: status)
        do throws(AppendError) {
            let new: NewEvent
            do {
                new = NewEvent(id: ids.unique(), type: event.name.rawValue, payload: try event.payload())
            } catch { throw .invalid("\(event.name.rawValue) is not JSON") }
            let appended = try await log.append(
                AppendRequest(
                    causation: Causation(
                        actor: deed.actor,
                        command: deed.command ?? ids.unique(),
                        traceparent: deed.traceparent
                    ),
                    command: try deed.record(receipt),
                    writes: [StreamWrite(stream, expecting: .version(expected), events: [new])]
                )
            )
            return (try receipt.answered(appended), reason)
        } catch {
            switch error {
            case .conflict(_, _, let actual): throw .conflict(actual: actual)
            case .unavailable: throw .unavailable
            case .commandReused: throw .commandReused
            default: throw .broken("\(error)")
            }
        }
    }
}

/// All targets.
package struct TargetList: Sendable, Equatable, Codable {
    package var data: [TargetView]
    /// Of the stream of what operators did to targets: the version that the next deed is for.
    package var version: Int64

    package init(data: [TargetView], version: Int64) {
        self.data = data
        self.version = version
    }
}
