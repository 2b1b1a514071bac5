internal import Kernel
internal import Logging

/// Owns what the agent knows: every change goes through here, is written down first, and then told to whoever waits.
actor AgentStore {
    let configuration: NomadAgent.Configuration
    let bell: Bell
    let ids: IDSource
    let logger: Logger
    let events = EventBuffer()
    private(set) var state = AgentState()
    /// What the health checks of running allocations last said; not worth keeping.
    var checks: [String: [String: JSONValue]] = [:]
    /// Allocations that are stopped without their shutdown delay.
    var hurried: Set<String> = []
    /// How often somebody asked for the tasks of an allocation to be started anew.
    var restartsAsked: [String: Int] = [:]
    private let journal: Journal<Commit>

    /// Reads what an earlier run left behind.
    ///
    /// - Throws: What the file system says.
    init(_ configuration: NomadAgent.Configuration, bell: Bell, ids: IDSource, logger: Logger) throws {
        self.configuration = configuration
        self.bell = bell
        self.ids = ids
        self.logger = logger
        var state = AgentState()
        journal = try Journal(configuration.directory + "/state.jsonl") { _ = state.apply($0) }
        if state.node.isEmpty {
            _ = state.apply(Commit(index: 2, type: "NodeRegistration", changes: [.node(ids.unique().description)]))
        }
        try journal.rewrite(state.compacted())
        self.state = state
    }

    /// Nanoseconds since 1970.
    var now: Int64 { ids.now().nanoseconds }

    /// Makes changes at the next index.
    ///
    /// - Returns: The index.
    /// - Throws: ``JournalFailure``; then nothing changed.
    @discardableResult
    func commit(_ type: String, _ changes: [Change]) throws -> Int64 {
        guard !changes.isEmpty else { return state.index }
        let commit = Commit(index: state.index + 1, type: type, changes: changes)
        try journal.append(commit)
        let stored = state.apply(commit)
        events.add(index: commit.index, type: type, changes: stored, state: state)
        bell.ring()
        return commit.index
    }

    func unique() -> String { ids.unique().description }
}

extension Timestamp {
    /// Nanoseconds since 1970, as Nomad counts.
    var nanoseconds: Int64 { microseconds &* 1000 }
}

extension Duration {
    /// Whole nanoseconds.
    var nanoseconds: Int64 { microseconds &* 1000 }
}
