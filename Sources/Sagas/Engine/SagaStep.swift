package import Domain
package import Kernel
package import Platform

/// One line of a saga's table: something to bring about outside, how to take it back, and how hard to try.
package struct SagaStep: Sendable {
    /// Brings it about; the same call again finds what the first one made.
    package typealias Ensure = @Sendable (StepContext) async throws(PortError) -> StepResult
    /// Takes it back, knowing only that the step was started: fine when nothing is there.
    package typealias EnsureAbsent = @Sendable (StepContext) async throws(PortError) -> UndoResult
    /// Looks what is there, before an attempt whose forerunner has an unknown end.
    package typealias Probe = @Sendable (StepContext) async throws(PortError) -> Presence<StepResult>

    /// Names what is intended.
    package typealias Resources = @Sendable (JSONValue, [String: JSONValue]) -> [IntendedResource]

    /// Stands in the log; never rename it or use it again.
    package let id: String
    package let policy: StepPolicy
    package let ensure: Ensure
    /// `nil` when there is nothing to take back.
    package let ensureAbsent: EnsureAbsent?
    package let probe: Probe?
    /// What it is about to make or remove outside, from the saga's input and what earlier steps left: recorded with the
    /// intent, so that whatever becomes of the saga, it can be named.
    package let resources: Resources
    /// The steps whose undo has to be through before this one's may begin, as far as they were started.
    package let undoAfter: [String]

    package init(
        _ id: String,
        policy: StepPolicy,
        ensure: @escaping Ensure,
        probe: Probe? = nil,
        ensureAbsent: EnsureAbsent? = nil,
        undoAfter: [String] = [],
        resources: @escaping Resources = { _, _ in [] }
    ) {
        self.id = id
        self.policy = policy
        self.ensure = ensure
        self.ensureAbsent = ensureAbsent
        self.probe = probe
        self.undoAfter = undoAfter
        self.resources = resources
    }
}

/// How hard a step tries, and what is at stake.
package struct StepPolicy: Sendable, Equatable {
    /// What the step talks to; shown to operators.
    package var target: String
    /// One attempt may take so long; afterwards its end is unknown.
    package var timeout: Duration
    /// After it succeeded nothing is taken back any more: failures are waited out.
    package var pivot: Bool
    /// A pivot that commits as soon as it is begun: it cannot be undone, and nobody can know that it did not happen.
    package var irrevocable: Bool
    /// Its undo goes before all others: traffic stops before what serves it.
    package var undoneFirst: Bool
    /// What has to pass between the first looks at something that is not there yet; later ones are further apart.
    package var poll: Duration
    /// What passes at most.
    package var longestPoll: Duration
    /// An operator may pass it over without insisting: nothing later is built on it.
    package var skippable: Bool
    /// It only looks, and takes none of the places that its target has.
    package var watches: Bool

    package init(
        target: String,
        timeout: Duration = .seconds(30),
        pivot: Bool = false,
        irrevocable: Bool = false,
        undoneFirst: Bool = false,
        poll: Duration = .milliseconds(200),
        longestPoll: Duration = .seconds(5),
        skippable: Bool = false,
        watches: Bool = false
    ) {
        self.target = target
        self.timeout = timeout
        self.pivot = pivot
        self.irrevocable = irrevocable
        self.undoneFirst = undoneFirst
        self.poll = poll
        self.skippable = skippable
        self.longestPoll = longestPoll
        self.watches = watches
    }

    /// How long to wait for the next look: an eighth of the time that was waited already, within the bounds.
    func pause(after elapsed: Duration) -> Duration {
        min(max(poll, elapsed / 8), max(poll, longestPoll))
    }
}

/// What a step is told.
package struct StepContext: Sendable {
    /// The event that caused the saga, whose id is the saga's.
    package let saga: UniqueID
    package let step: String
    /// Counted from 1.
    package let attempt: Int
    /// Makes the effect the same effect when it is tried again.
    package let key: String
    /// Names the caller at the target: `sbx/{saga}/{step}/f{fence}`.
    package let fence: String
    var reading: SagaReading
    /// What the steps that succeeded left for the later ones.
    package let outputs: [String: JSONValue]
    /// The steps that may have had an effect.
    package let begun: Set<String>
    /// What the undos so far had to say, by step.
    package let notes: [String: String]
    /// How long ago the step was started.
    package let elapsed: Duration
    package let now: Timestamp
    /// Why it is being taken back; empty on the way forward.
    package let reason: String
    /// Whether nothing of the step can still be on its way: whoever asks has made all of its attempts, in one turn, and
    /// was told of each how it ended.
    package var isSettled = false
    /// The trace that the command belonged to which began it all.
    package var traceparent: String?
}

/// How an attempt came out, when it did not fail.
package enum StepResult: Sendable, Equatable {
    case done(StepOutcome)
    /// There was nothing to do here, by configuration.
    case skipped(why: String)
    /// Not yet: look again after a while, or at a moment. A change of what is seen is recorded, a look is not.
    ///
    /// Who waits long holds neither lease nor a place in the engine. Without a moment the step's policy says how often is
    /// looked; a moment is a durable timer. An input, such as the end of a child, or an operator's word ends both.
    case waiting(condition: String, reason: String, until: Timestamp? = nil)
    /// A part of it is done: what that means is recorded, and the step goes on at once.
    case progress(condition: String, reason: String, facts: [DomainFact])

    /// Done, with nothing to remember.
    package static let done = StepResult.done(StepOutcome())
}

/// What a step leaves.
package struct StepOutcome: Sendable, Equatable {
    /// What later steps need to know, by name; never a secret.
    package var output: JSONValue
    /// What it means for the things the saga works for; recorded in the same append.
    package var facts: [DomainFact]

    package init(output: JSONValue = .object([:]), facts: [DomainFact] = []) {
        self.output = output
        self.facts = facts
    }
}

/// What an undo leaves.
package struct UndoResult: Sendable, Equatable {
    /// Something a later undo, or a person, should know.
    package var note: String?
    package var facts: [DomainFact]

    package init(note: String? = nil, facts: [DomainFact] = []) {
        self.note = note
        self.facts = facts
    }

    package static let done = UndoResult()

    /// What a note begins with that says that the thing is still there, and why.
    package static let kept = "kept: "
}
