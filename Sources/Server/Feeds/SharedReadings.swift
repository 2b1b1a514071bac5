internal import Kernel
internal import Projections

/// One question to the read models for everybody who asks it at the same time.
actor SharedReadings<Key: Hashable & Sendable, Value: Sendable> {
    typealias Answer = Result<Reading<Value>, Problem>

    private struct Flight {
        var wanted: Int64
        var task: Task<Answer, Never>
    }

    private var known: [Key: Reading<Value>] = [:]
    private var flights: [Key: Flight] = [:]
    /// Enough for what is followed at the same time; beyond it the memory begins anew.
    private static var most: Int { 1000 }

    /// What the read models say about something.
    ///
    /// - Parameters:
    ///   - key: What is asked.
    ///   - position: What the answer should reflect; an older one is given when `ask` gives it.
    ///   - ask: Asks, within a time of its own.
    /// - Returns: What `ask` answered to this caller, or to one who wanted as much.
    func reading(
        of key: Key,
        reflecting position: Int64,
        _ ask: @escaping @Sendable () async -> Answer
    ) async -> Answer {
        if let found = known[key], found.position >= position { return .success(found) }
        if let flight = flights[key], flight.wanted >= position { return await flight.task.value }
        // A task of its own: whoever came first may leave while others wait.
        let task = Task { await ask() }
        flights[key] = Flight(wanted: position, task: task)
        let answer = await task.value
        if flights[key]?.task == task { flights[key] = nil }
        if case .success(let reading) = answer, known[key].map({ $0.position < reading.position }) ?? true {
            if known.count >= Self.most { known.removeAll() }
            known[key] = reading
        }
        return answer
    }
}
