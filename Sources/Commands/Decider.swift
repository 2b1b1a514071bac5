package import Domain
package import EventStore

/// A write model: what it knows, how it learns, and what it agrees to.
///
/// A conforming type is the state itself. It has no clock, no database and no network, so a decision can be replayed
/// years later and come out the same. As JSON it is what snapshots keep and what auditors are shown.
package protocol Decider: Snapshotable, Equatable {
    associatedtype Command: Sendable
    associatedtype Event: EventFamily
    associatedtype Refusal: Error, Equatable, Sendable

    /// What is known before the first event.
    init()

    /// Takes in one fact. It cannot fail: the fact already happened.
    mutating func evolve(_ event: Event)

    /// Answers a command with the events it causes.
    ///
    /// - Throws: `Refusal` when a rule forbids the command.
    /// - Returns: The events to append; empty when the command is satisfied already.
    func decide(_ command: Command) throws(Refusal) -> [Event]
}

extension Decider {
    /// The state after a history.
    package init(replaying history: some Sequence<Event>) {
        self.init()
        for event in history { evolve(event) }
    }
}
