import Domain
import Kernel
import Testing

@testable import Projections

@Suite("The operations read model")
struct OperationFoldTests {
    private func operation(_ story: Story, cause: Int64) throws -> OperationView {
        try #require(try story.rows(of: Operations.self)[Story.id(cause).description])
    }

    private func begun(_ events: [SagaEvent]) throws -> OperationView {
        var story = Story()
        try story.tell(Story.requested(), of: 400)
        let saga = "provision-instance.\(Story.id(1))"
        let started = SagaEvent.Started(
            kind: "provision-instance",
            definition: 1,
            subject: "instance-400",
            lane: "instance-400",
            cause: Story.id(1),
            input: .object([:]),
            steps: Story.steps,
            deadline: Story.moment(5000)
        )
        try story.tell(SagaEvent.started(started), of: saga)
        for event in events { try story.tell(event, of: saga) }
        return try operation(story, cause: 1)
    }

    @Test("it is there, queued, from the event that causes it")
    func queued() throws {
        var story = Story()
        try story.onboard()
        let operation = try operation(story, cause: 3)
        #expect(operation.status == .queued)
        #expect(operation.kind == "provision-instance" && operation.subject == "instance-400")
        #expect(operation.organizationID?.value == 42 && operation.startedAt == Story.moment(3))
        #expect(operation.steps.isEmpty && operation.endedAt == nil)
    }

    @Test("a finished one has every step done and no problem")
    func completed() throws {
        var story = Story()
        try story.onboard()
        try story.provision(cause: 3)
        let operation = try operation(story, cause: 3)
        #expect(operation.status == .completed && operation.problem == nil)
        #expect(operation.steps.map(\.id) == Story.steps)
        #expect(operation.steps.allSatisfy { $0.status == .succeeded && $0.attempts == 1 && $0.endedAt != nil })
        #expect(operation.endedAt == Story.moment(Int64(story.events.count)))
        #expect(operation.startedAt == Story.moment(3))
    }

    @Test("a failed attempt that is tried again waits until then, and success forgets it")
    func waiting() throws {
        let failed = SagaEvent.stepAttemptFailed(
            .init(
                step: "database",
                attempt: 1,
                failure: .transient,
                code: "08006",
                message: "down",
                retryAt: Story.moment(90)
            )
        )
        let start = SagaEvent.stepStarted(.init(step: "database", attempt: 1, key: "k"))
        let waiting = try begun([start, failed])
        #expect(waiting.status == .waiting && waiting.nextActionAt == Story.moment(90) && waiting.problem == nil)
        #expect(waiting.steps[1].status == .waiting && waiting.steps[1].error?.code == "08006")
        let done = try begun([start, failed, .stepSucceeded(.init(step: "database", output: .null))])
        #expect(done.status == .running && done.nextActionAt == nil)
        #expect(done.steps[1].attempts == 2 && done.steps[1].error == nil)
    }

    @Test("one that is taken back says why, and which steps were undone")
    func compensated() throws {
        let end = try begun([
            .stepStarted(.init(step: "database", attempt: 1, key: "k")),
            .stepSucceeded(.init(step: "database", output: .null)),
            .stepStarted(.init(step: "workload", attempt: 1, key: "k")),
            .stepAttemptFailed(.init(step: "workload", attempt: 1, failure: .permanent, code: "400", message: "bad")),
            .compensationStarted(Because(reason: "workload failed")),
            .undoStarted(.init(step: "database", attempt: 1, key: "k")),
            .undoSucceeded(.init(step: "database")),
            .compensated(Nothing()),
        ])
        #expect(end.status == .compensated && end.endedAt != nil)
        #expect(end.problem?.step == "workload" && end.problem?.message == "workload failed")
        #expect(end.steps.map(\.status) == [.pending, .undone, .failed])
    }

    @Test("a parked one waits for a person, and goes on after them")
    func parked() throws {
        let parked = try begun([.parked(.init(step: "database", reason: "foreign"))])
        #expect(parked.status == .parked && parked.problem?.message == "foreign" && !parked.status.isEnd)
        let acted = SagaEvent.OperatorActed(verb: "retry", operatorID: "operator-1", reason: "fixed")
        let resumed = try begun([.parked(.init(step: "database", reason: "foreign")), .operatorActed(acted)])
        #expect(resumed.status == .running && resumed.problem == nil)
        let cancel = SagaEvent.OperatorActed(verb: "cancel", operatorID: "operator-1", reason: "asked")
        #expect(try begun([.operatorActed(cancel)]).status == .queued)
    }

    @Test("the API's shape shows what is absent as null")
    func shape() throws {
        let json = try JSON.decode(JSONValue.self, from: try JSON.encode(try begun([])))
        let members = try #require(json.object)
        for key in ["id", "kind", "status", "subject", "startedAt", "endedAt", "steps", "nextActionAt", "problem"] {
            #expect(members[key] != nil, "\(key)")
        }
        #expect(members["endedAt"] == .null && members["problem"] == .null)
        let step = try #require(members["steps"]?.array?.first?.object)
        for key in ["id", "status", "attempts", "startedAt", "endedAt", "error"] { #expect(step[key] != nil, "\(key)") }
    }
}
