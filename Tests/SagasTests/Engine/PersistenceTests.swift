import EventStore
import Kernel
import Platform
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("A step that goes on failing after the point of no return")
struct PersistenceTests {
    private let toy = Toy()
    private let settings = EngineSettings(
        forward: Backoff(shortest: .seconds(1800), longest: .seconds(3600)),
        persistence: .seconds(24 * 3600)
    )

    /// A pivot, and a step behind it that does what the closure says.
    private func definition(_ step: @escaping SagaStep.Ensure) -> SagaDefinition {
        Toy.definition([.toy("pivot", policy: StepPolicy(target: "", pivot: true)), .toy("after", step)])
    }

    /// Lets time pass until the saga rests, or for so many attempts.
    private func play(_ stream: StreamName, _ definition: SagaDefinition, attempts: Int = 200) async throws {
        for _ in 0..<attempts {
            _ = await toy.engine([definition], settings: settings).turn()
            guard ["running", "waiting"].contains(try await toy.status(stream)), let due = toy.log.wakeAt(stream) else {
                return
            }
            if due > toy.clock.now() { toy.advance(due - toy.clock.now()) }
        }
    }

    @Test("asks a person after a day, and has another day once it was asked to go on")
    func parks() async throws {
        let begun = toy.clock.now()
        let definition = definition { _ throws(PortError) in throw .transient(code: "503", message: "unwell") }
        let stream = try await toy.start(definition, id: 1)
        for day in 1...2 {
            try await play(stream, definition)
            #expect(try await toy.status(stream) == "parked")
            #expect(toy.clock.now() - begun >= .seconds(day * 24 * 3600))
            #expect(toy.types(stream).count { $0 == "parked" } == day)
            try await SagaOperations(log: toy.log, queue: toy.log, definitions: [definition], ids: toy.ids)
                .retry(UniqueID(1), .byOperator)
        }
        #expect(!toy.types(stream).contains("compensation-started"))
    }

    @Test("has not failed ever since when it answered in between")
    func answers() async throws {
        let looks = Tally()
        let definition = definition { _ throws(PortError) in
            if looks.add().isMultiple(of: 12) { return .waiting(condition: "Ready", reason: "not yet") }
            throw .transient(code: "503", message: "unwell")
        }
        let stream = try await toy.start(definition, id: 1)
        try await play(stream, definition, attempts: 100)
        #expect(["waiting", "running"].contains(try await toy.status(stream)))
        #expect(!toy.types(stream).contains("parked"))
    }

    @Test("is no failure when all it says is that it takes its time")
    func pending() async throws {
        let definition = definition { _ throws(PortError) in
            throw .pending(code: "settling", message: "on its way", retryAfter: .seconds(3600))
        }
        let stream = try await toy.start(definition, id: 1)
        try await play(stream, definition, attempts: 60)
        #expect(!toy.types(stream).contains("parked"))
    }
}
