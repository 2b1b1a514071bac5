internal import Domain
package import EventStore
package import Kernel

/// One kind of saga: its table, and how a run of it begins and ends.
package struct SagaDefinition: Sendable {
    /// Stands in the log and in stream names; never rename it.
    package let kind: String
    /// Raised whenever the steps change; a run keeps the version that it began with.
    package let version: Int
    /// 0 is served before 1 before 2, where there is more to do than can be done at once.
    package let priority: Int16
    /// In the order they are taken.
    package let steps: [SagaStep]
    /// What the run is to know, from the event that caused it; reads the log, never the outside.
    package let begin: @Sendable (RecordedEvent, any EventLog) async throws(SagaBeginError) -> SagaBeginning
    /// What effect keys begin with, from the input: the same for all attempts, another for each generation.
    package let scope: @Sendable (JSONValue) -> String
    /// What is recorded about the saga's subject when everything was taken back.
    package let failed: @Sendable (SagaFailure, JSONValue) -> [DomainFact]

    package init(
        kind: String,
        version: Int,
        priority: Int16 = 1,
        steps: [SagaStep],
        begin: @escaping @Sendable (RecordedEvent, any EventLog) async throws(SagaBeginError) -> SagaBeginning,
        scope: @escaping @Sendable (JSONValue) -> String,
        failed: @escaping @Sendable (SagaFailure, JSONValue) -> [DomainFact]
    ) {
        self.kind = kind
        self.version = version
        self.priority = priority
        self.steps = steps
        self.begin = begin
        self.scope = scope
        self.failed = failed
    }

    func step(_ id: String) -> SagaStep? { steps.first { $0.id == id } }
}

/// What a run begins with.
package struct SagaBeginning: Sendable {
    /// The stream it works for: `instance-42`.
    package var subject: StreamName
    /// One exclusive saga at a time runs in a lane.
    package var lane: String
    package var organization: OrganizationID?
    package var input: JSONValue
    /// Once so much time has passed, the next failure on the way forward is the last.
    package var patience: Duration

    package init(
        subject: StreamName,
        lane: String,
        organization: OrganizationID?,
        input: JSONValue,
        patience: Duration = .seconds(30 * 60)
    ) {
        self.subject = subject
        self.lane = lane
        self.organization = organization
        self.input = input
        self.patience = patience
    }
}

/// Why a saga could not begin.
package enum SagaBeginError: Error, Equatable, Sendable {
    case log(LogError)
    /// The cause does not say what it should; a person has to look.
    case malformed(String)
}

/// Why everything had to be taken back.
package struct SagaFailure: Codable, Sendable, Equatable {
    /// The step that could not be done.
    package var step: String
    /// `permanent`, `timed-out` or `cancelled`.
    package var failure: String
    /// Safe to show to a tenant.
    package var reason: String
}
