/// The steps of writing a flush, in order, for those who want to crash at one of them.
package enum LogStep: String, CaseIterable, Sendable {
    /// Requests were taken from the queue.
    case taken
    /// The statement left for the server.
    case sent
    /// The server has committed; in pipelined mode nothing is durable yet.
    case committed
    /// The barrier is about to be sent.
    case barrierBegun
    /// The barrier has come back: all that was committed before it is durable.
    case barrierEnded
    /// The callers were answered.
    case answered
}

/// When an append counts as done.
package enum Durability: String, CaseIterable, Sendable {
    /// Each flush waits for the disk itself, holding the log lock meanwhile.
    case commit
    /// A flush only commits; a barrier on a connection of its own waits for the disk, for all flushes before it.
    case pipelined
}
