package import EventStore
package import Kernel
internal import Platform

/// What the sagas of all processes know together about what they call: whether it is well, and how much it takes.
///
/// A saga that may not call its target sleeps without using up an attempt.
package protocol TargetBoard: Sendable {
    /// Asks to call a target now; who is let in says how it went, by ``settle(_:by:_:)``.
    ///
    /// - Parameters:
    ///   - target: As in `nomad`.
    ///   - visitor: The saga.
    ///   - span: How long the call takes at most.
    ///   - counted: Whether it takes one of the places that the target has, and a token.
    /// - Returns: Whether it may.
    /// - Throws: ``EventStore/LogError``.
    func admit(
        _ target: String,
        by visitor: StreamName,
        atMost span: Duration,
        counted: Bool
    ) async throws(LogError) -> TargetAdmission

    /// Tells how a call went; what cannot be told now is not told.
    func settle(_ target: String, by visitor: StreamName, _ outcome: TargetOutcome) async

    /// Every target that was ever called, in order.
    func list() async throws(LogError) -> [TargetView]

    /// Has a target left alone until it is closed again.
    func hold(_ target: String, because reason: String) async throws(LogError)

    /// Forgets what was wrong with a target, and wakes the sagas that wait for it.
    func free(_ target: String) async throws(LogError)
}

/// Whether a saga may call its target now.
package enum TargetAdmission: Sendable, Equatable {
    case granted
    /// Not before so long.
    case refused(Reason, wait: Duration)

    /// Why not.
    package enum Reason: String, Sendable, CaseIterable {
        /// It has failed too often, or an operator wants it left alone.
        case open
        /// One call finds out whether it is well again.
        case halfOpen = "half-open"
        /// It asked for a rest.
        case asked
        /// As many are there as it takes.
        case full
        /// As many were there lately as it takes.
        case rate
    }
}

/// What a call says about its target.
package enum TargetOutcome: Sendable, Equatable {
    /// It did its part, whatever it said.
    case answered
    /// It could not do its part, or nobody knows.
    case failed(error: String, retryAfter: Duration?)
    /// The caller broke off.
    case unknown
}

/// A target as operators see it.
package struct TargetView: Sendable, Equatable, Codable {
    package var name: String
    /// `closed` (all is well), `open` (left alone), `half-open` (one call tries) or `held` (an operator's word).
    package var status: String

    /// Every status, by how much is wrong.
    package static let statuses = ["closed", "half-open", "open", "held"]

    /// Until when it is left alone, by itself or because it asked for a rest.
    package var until: Timestamp?
    /// Why an operator has it left alone.
    package var reason: String?
    package var failedInARow: Int
    package var calls: Int
    package var failures: Int
    /// How often in a row it was found unwell.
    package var openings: Int
    package var inFlight: Int
    package var limits: TargetLimits
    package var lastError: String?
    package var changedAt: Timestamp

    package init(
        name: String,
        status: String,
        until: Timestamp? = nil,
        reason: String? = nil,
        failedInARow: Int = 0,
        calls: Int = 0,
        failures: Int = 0,
        openings: Int = 0,
        inFlight: Int = 0,
        limits: TargetLimits = TargetLimits(),
        lastError: String? = nil,
        changedAt: Timestamp
    ) {
        (self.name, self.status, self.until, self.reason) = (name, status, until, reason)
        (self.failedInARow, self.calls, self.failures) = (failedInARow, calls, failures)
        (self.openings, self.inFlight, self.limits) = (openings, inFlight, limits)
        (self.lastError, self.changedAt) = (lastError, changedAt)
    }
}

/// A board on which nothing is ever wrong: for tests, and for what needs no protection.
package struct UnlimitedTargets: TargetBoard {
    package init() {}

    package func admit(
        _ target: String,
        by visitor: StreamName,
        atMost span: Duration,
        counted: Bool
    ) async throws(LogError) -> TargetAdmission { .granted }

    package func settle(_ target: String, by visitor: StreamName, _ outcome: TargetOutcome) async {}

    package func list() async throws(LogError) -> [TargetView] { [] }

    package func hold(_ target: String, because reason: String) async throws(LogError) {}

    package func free(_ target: String) async throws(LogError) {}
}
