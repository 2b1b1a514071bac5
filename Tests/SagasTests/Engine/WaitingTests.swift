import Commands
import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Synchronization
import Testing

@testable import Sagas

@Suite("A saga that waits")
struct WaitingTests {
    @Test("gives its lease back, and is looked at again when it is due; a look is no event")
    func givesBack() async throws {
        let toy = Toy()
        let looks = Tally()
        let definition = Toy.definition([
            .toy("wait", policy: StepPolicy(target: "", poll: .seconds(10), longestPoll: .seconds(10))) { _ in
                looks.add() < 4 ? .waiting(condition: "Ready", reason: "not yet") : .done
            }
        ])
        let stream = try await toy.start(definition, id: 1)
        let engine = toy.engine([definition])
        #expect(await engine.turn() == 1)
        #expect(try await toy.status(stream) == "waiting")
        #expect(await engine.turn() == 0)
        for _ in 0..<3 {
            toy.advance(.seconds(10))
            #expect(await engine.turn() == 1)
        }
        #expect(looks.count == 4)
        #expect(
            toy.types(stream) == ["started", "step-started", "condition-changed", "step-succeeded", "completed"]
        )
    }

    @Test("records what a part of it means, and goes on at once")
    func parts() async throws {
        let toy = Toy()
        let organization: OrganizationID = toy.ids.identifier()
        let owner: UserID = toy.ids.identifier()
        let looks = Tally()
        let definition = Toy.definition([
            .toy("many") { _ in
                let number = looks.add()
                guard number < 3 else { return .done }
                let command =
                    number == 1
                    ? Organization.Command.create(name: "Acme", slug: "acme", owner: owner)
                    : .linkBillingCustomer("cus-1")
                let fact = DomainFact.organization(organization, command)
                return .progress(condition: "Asked", reason: "\(number) of 3", facts: [fact])
            }
        ])
        let stream = try await toy.start(definition, id: 1)
        #expect(await toy.engine([definition]).turn() == 1)
        #expect(
            toy.types(stream) == [
                "started", "step-started", "condition-changed", "condition-changed", "step-succeeded", "completed",
            ]
        )
        #expect(toy.log.events.count { $0.stream.category == OrganizationEvent.category } == 2)
    }

    @Test("has a timer that survives, and that nothing but an input or a person cuts short")
    func timer() async throws {
        let toy = Toy()
        let looks = Tally()
        let end = toy.clock.now() + .seconds(7 * 24 * 3600)
        let definition = Toy.definition([
            .toy("wait") { context in
                looks.add()
                return context.now < end ? .waiting(condition: "Due", reason: "at the end", until: end) : .done
            }
        ])
        let stream = try await toy.start(definition, id: 1)
        _ = await toy.engine([definition]).turn()
        #expect(toy.log.wakeAt(stream) == end)
        toy.advance(.seconds(24 * 3600))
        #expect(await toy.engine([definition]).turn() == 0)

        let operations = SagaOperations(log: toy.log, queue: toy.log, definitions: [definition], ids: toy.ids)
        try await operations.retry(UniqueID(1), .byOperator)
        _ = await toy.engine([definition]).turn()
        #expect(looks.count == 2)
        #expect(toy.log.wakeAt(stream) == end)

        toy.advance(.seconds(6 * 24 * 3600))
        _ = await toy.engine([definition]).turn()
        #expect(try await toy.status(stream) == "completed")
    }

    @Test("does not use up its patience")
    func patience() async throws {
        let toy = Toy()
        let end = toy.clock.now() + .seconds(30 * 24 * 3600)
        let tries = Tally()
        let definition = Toy.definition([
            .toy("wait") { context throws(PortError) in
                if context.now < end { return .waiting(condition: "Due", reason: "at the end", until: end) }
                // More often than the least number of attempts, and within half an hour of the timer's end.
                guard tries.add() > 12 else {
                    throw .transient(code: "503", message: "not now", retryAfter: .seconds(1))
                }
                return .done
            }
        ])
        let settings = EngineSettings(forward: Backoff(shortest: .seconds(1), longest: .seconds(2)))
        let stream = try await toy.start(definition, id: 1)
        for _ in 0..<40 where try await toy.status(stream) != "completed" {
            _ = await toy.engine([definition], settings: settings).turn()
            if let due = toy.log.wakeAt(stream), due > toy.clock.now() { toy.advance(due - toy.clock.now()) }
        }
        #expect(try await toy.status(stream) == "completed")
    }

    @Test("is due when the log's clock says so, however wrong its process's clock is", arguments: [-3600, 3600])
    func skew(seconds: Int) async throws {
        let toy = Toy()
        toy.skew.withLock { $0 = .seconds(seconds) }
        let tries = Tally()
        let definition = Toy.definition([
            .toy("try") { _ throws(PortError) in
                guard tries.add() > 1 else {
                    throw .transient(code: "503", message: "not now", retryAfter: .seconds(9))
                }
                return .done
            }
        ])
        let stream = try await toy.start(definition, id: 1)
        let engine = toy.engine([definition])
        let begun = toy.clock.now()
        _ = await engine.turn()
        #expect(toy.log.wakeAt(stream) == begun + .seconds(9))
        toy.advance(.seconds(9))
        _ = await engine.turn()
        #expect(try await toy.status(stream) == "completed")
        #expect(tries.count == 2)
    }

    @Test("leaves its place to others")
    func places() async throws {
        let toy = Toy()
        let definition = Toy.definition([
            .toy("wait", policy: StepPolicy(target: "", poll: .seconds(60), longestPoll: .seconds(60))) { context in
                context.saga == UniqueID(9) ? .done : .waiting(condition: "Ready", reason: "never")
            }
        ])
        for id in 1...8 as ClosedRange<UInt64> { _ = try await toy.start(definition, id: id) }
        let last = try await toy.start(definition, id: 9)
        let engine = toy.engine([definition], settings: EngineSettings(parallel: 2))
        for _ in 0..<5 { _ = await engine.turn() }
        #expect(try await toy.status(last) == "completed")
    }
}

@Suite("Parents and children")
struct ChildrenTests {
    private static let child = Toy.definition(kind: "child", [.toy("work")])

    private static func parent(_ looks: Tally, until done: Int) -> SagaDefinition {
        Toy.definition(
            kind: "parent",
            [
                .toy("await-child", policy: StepPolicy(target: "", poll: .seconds(600), longestPoll: .seconds(600))) {
                    _ in
                    looks.add() < done ? .waiting(condition: "ChildEnded", reason: "it runs") : .done
                }
            ]
        )
    }

    @Test("the end of a child is an input of its parent, in the same append, and wakes it")
    func told() async throws {
        let toy = Toy()
        let looks = Tally()
        let definitions = [Self.parent(looks, until: 2), Self.child]
        let parent = try await toy.start(definitions[0], id: 1)
        let engine = toy.engine(definitions)
        _ = await engine.turn()
        #expect(try await toy.status(parent) == "waiting")
        let child = try await toy.start(Self.child, id: 2, parent: parent)
        _ = await engine.turn()
        #expect(try await toy.status(child) == "completed")
        // No time has passed: the parent is due because it was told.
        #expect(await engine.turn() == 1)
        #expect(try await toy.status(parent) == "completed")
        let told = try #require(toy.log.events.first { $0.type == "saga.input-received" })
        let end = try #require(toy.log.events.first { $0.stream == child && $0.type == "saga.completed" })
        #expect(told.position == end.position + 1)
        guard
            case .inputReceived(let input)? = try SagaEvent.decode(
                type: told.type,
                schemaVersion: told.schemaVersion,
                payload: told.payload ?? []
            )
        else { throw LogError.violated("no input") }
        #expect(input.event == end.id)
        #expect(input.data?["saga"]?.string == child.text)
        #expect(input.data?["end"]?.string == "completed")
    }

    @Test("a parent that has ended is told nothing")
    func late() async throws {
        let toy = Toy()
        let definitions = [Self.parent(Tally(), until: 1), Self.child]
        let parent = try await toy.start(definitions[0], id: 1)
        _ = await toy.engine(definitions).turn()
        #expect(try await toy.status(parent) == "completed")
        let child = try await toy.start(Self.child, id: 2, parent: parent)
        _ = await toy.engine(definitions).turn()
        #expect(try await toy.status(child) == "completed")
        #expect(toy.types(parent).last == "completed")
    }

    @Test("an event that a saga's step recorded makes its saga the parent")
    func derived() async throws {
        let simulation = try await Simulation()
        let parent = UniqueID(4711)
        let stream = StreamName(category: "instance", id: simulation.instance)
        let retry = InstanceEvent.retryRequested(.init(generation: 2))
        let cause = simulation.clock.ids.unique()
        _ = try await simulation.log.append(
            AppendRequest(
                causation: Causation(actor: "saga-provision-instance", command: parent),
                writes: [
                    StreamWrite(
                        stream,
                        expecting: .version(1),
                        events: [NewEvent(id: cause, type: retry.name.rawValue, payload: try retry.payload())]
                    )
                ]
            )
        )
        try await simulation.start()
        guard case .started(let child)? = try simulation.sagaEvents(cause).first else {
            throw LogError.violated("it did not start")
        }
        #expect(child.parent == "saga-provision-instance.\(parent)")
        guard case .started(let first)? = try simulation.sagaEvents().first else {
            throw LogError.violated("it did not start")
        }
        #expect(first.parent == nil)
    }
}
