package import Domain
package import Kernel

/// A saga as a person sees it.
package struct OperationView: Codable, Equatable, Sendable {
    package enum Status: String, Codable, Sendable {
        case queued, running, waiting, compensating, completed, compensated, parked, abandoned, superseded

        /// Whether nothing will happen any more.
        package var isEnd: Bool {
            switch self {
            case .completed, .compensated, .abandoned, .superseded: true
            case .queued, .running, .waiting, .compensating, .parked: false
            }
        }
    }

    /// One step of it, in the order in which they are done.
    package struct Step: Codable, Equatable, Sendable {
        package enum Status: String, Codable, Sendable {
            case pending, running, waiting, succeeded, skipped, failed, undoing, undone
        }

        package var id: String
        package var status: Status = .pending
        package var attempts = 0
        @Nullable package var startedAt: Timestamp?
        @Nullable package var endedAt: Timestamp?
        /// The last failure; gone once the step succeeds.
        @Nullable package var error: StepError?
        /// What the step is waiting for, as far as it is known.
        @Nullable package var condition: String?

        package init(id: String) {
            self.id = id
        }
    }

    /// Why one attempt failed; without secrets.
    package struct StepError: Codable, Equatable, Sendable {
        package var failure: FailureClass
        package var code: String
        package var message: String

        init(_ fact: SagaEvent.AttemptFailed) {
            self.failure = fact.failure
            self.code = fact.code
            self.message = fact.message
        }

        private enum CodingKeys: String, CodingKey {
            case failure = "class"
            case code, message
        }
    }

    /// Why the whole does not go on as planned.
    package struct Problem: Codable, Equatable, Sendable {
        @Nullable package var step: String?
        package var failure: String
        package var message: String

        init(step: String?, failure: String, message: String) {
            self.step = step
            self.failure = failure
            self.message = message
        }

        init(step: String, _ fact: SagaEvent.AttemptFailed) {
            self.init(step: step, failure: fact.failure.rawValue, message: fact.message)
        }

        private enum CodingKeys: String, CodingKey {
            case step
            case failure = "class"
            case message
        }
    }

    package var id: UniqueID
    package var kind: String
    package var status: Status
    /// The stream it works for, for example `instance-42`.
    package var subject: String
    @Nullable package var organizationID: OrganizationID?
    package var startedAt: Timestamp
    @Nullable package var endedAt: Timestamp?
    package var steps: [Step]
    /// When it will be looked at again, if it waits.
    @Nullable package var nextActionAt: Timestamp?
    @Nullable package var problem: Problem?
    /// Where in the log it began: its place in lists.
    package var position: Int64
    /// Whether it takes back what it did.
    package var isCompensating: Bool

    /// One that nobody has begun yet.
    package init(
        id: UniqueID,
        kind: String,
        subject: String,
        organizationID: OrganizationID?,
        startedAt: Timestamp,
        position: Int64
    ) {
        self.id = id
        self.kind = kind
        self.status = .queued
        self.subject = subject
        self.organizationID = organizationID
        self.startedAt = startedAt
        self.steps = []
        self.position = position
        self.isCompensating = false
    }

    private enum CodingKeys: String, CodingKey {
        case id, kind, status, subject
        case organizationID = "organizationId"
        case startedAt, endedAt, steps, nextActionAt, problem, position
        case isCompensating = "compensating"
    }
}
