import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("The resource ledger as a fold")
struct LedgerFoldTests {
    private func ledger(_ simulation: Simulation) throws -> LedgerFold {
        var fold = LedgerFold()
        for event in simulation.log.events where LedgerFold.types.contains(event.type) { try fold.apply(event) }
        return fold
    }

    private func states(_ simulation: Simulation) throws -> [String: LedgerRow.State] {
        try ledger(simulation).rows.values.reduce(into: [:]) { $0[$1.kind.rawValue] = $1.state }
    }

    @Test("names everything that a completed saga made, as present")
    func completed() async throws {
        let simulation = try await Simulation()
        try await simulation.provision()
        let rows = try ledger(simulation).rows
        let kinds = IntendedResource.Kind.allCases.filter { $0 != .backup }
        #expect(Set(rows.values.map(\.kind)) == Set(kinds))
        #expect(rows.values.allSatisfy { $0.state == .present && $0.observedAt != nil })
        simulation.world.read { state in
            #expect(state.databases.keys.allSatisfy { rows[.init(kind: .database, name: $0)] != nil })
            #expect(state.roles.keys.allSatisfy { rows[.init(kind: .role, name: $0)] != nil })
            #expect(state.jobs.keys.allSatisfy { rows[.init(kind: .job, name: $0)] != nil })
            #expect(state.subscriptions.allSatisfy { rows[.init(kind: .subscription, name: $0.key)] != nil })
            #expect(state.customers.allSatisfy { rows[.init(kind: .customer, name: $0)] != nil })
        }
        let database = try #require(rows.values.first { $0.kind == .database })
        #expect(database.instance == "instance-\(simulation.instance)" && database.generation == 1)
        #expect(database.organization == simulation.organization)
    }

    @Test("everything is named before it can be there, wherever the process dies", arguments: 0..<60)
    func everywhere(number: Int) async throws {
        let simulation = try await Simulation()
        try await simulation.start()
        let process = SimulatedProcess { at, _ in at == number ? .dieInFlight : .go }
        _ = await (try simulation.engine(process)).turn()
        let rows = try ledger(simulation).rows
        simulation.world.read { state in
            for name in state.databases.keys { #expect(rows[.init(kind: .database, name: name)] != nil) }
            for name in state.roles.keys { #expect(rows[.init(kind: .role, name: name)] != nil) }
            for name in state.jobs.keys { #expect(rows[.init(kind: .job, name: name)] != nil) }
            for one in state.subscriptions { #expect(rows[.init(kind: .subscription, name: one.key)] != nil) }
        }
    }

    @Test("what is taken back is gone, what is kept is still named")
    func compensated() async throws {
        let simulation = try await Simulation()
        simulation.world.change { $0.refusals["health"] = [.permanent(code: "x", message: "crash loop")] }
        try await simulation.provision()
        #expect(try await simulation.status() == "compensated")
        let states = try states(simulation)
        for kind in ["database", "role", "job", "variable"] { #expect(states[kind] == .gone, "\(kind)") }
        #expect(states["customer"] == .present && states["subscription"] == .present)
    }

    @Test("what an operator passes over is not taken for gone")
    func passedOver() async throws {
        let simulation = try await Simulation()
        simulation.world.change {
            $0.outages["dropRole"] = .permanent(code: "2BP01", message: "it owns something")
            $0.refusals["health"] = [.permanent(code: "x", message: "crash loop")]
        }
        try await simulation.start()
        let engine = try simulation.engine()
        _ = await engine.turn()
        let skip = SagaVerb.skip(step: "create-role", force: true)
        try await (try simulation.operations()).act(skip, on: simulation.cause, .byOperator)
        try await simulation.settle(engine)
        #expect(try await simulation.status() == "compensated")
        #expect(try states(simulation)["role"] == .deleting)
        #expect(try states(simulation)["database"] == .gone)
    }

    @Test("a database that was put aside is named by its new name, until it is dropped")
    func quarantined() throws {
        let stream = try #require(StreamName("instance-42"))
        let saga = try #require(StreamName("saga-terminate-instance.01900000-0000-7000-8000-000000000001"))
        let until = Timestamp(microseconds: 9)
        var fold = LedgerFold()
        let made = IntendedResource(.database, "db_42", instance: "instance-42", generation: 1)
        let role = IntendedResource(.role, "user_42", instance: "instance-42", generation: 1)
        let started = SagaEvent.StepStarted(step: "a", attempt: 1, key: "k", resources: [made, role])
        try fold.apply(recorded(1, saga, SagaEvent.stepStarted(started)))
        try fold.apply(recorded(2, saga, SagaEvent.stepSucceeded(.init(step: "a", output: [:]))))
        let aside = InstanceEvent.DatabaseQuarantined(database: "db_42", renamed: "zz_db_42_7", until: until)
        try fold.apply(recorded(3, stream, InstanceEvent.databaseQuarantined(aside)))
        #expect(fold.rows[.init(kind: .database, name: "db_42")]?.state == .gone)
        let renamed = try #require(fold.rows[.init(kind: .database, name: "zz_db_42_7")])
        #expect(renamed.state == .deleting && renamed.until == until && renamed.instance == "instance-42")
        let dropped = InstanceEvent.DatabaseDropped(database: "db_42", role: "user_42")
        try fold.apply(recorded(4, stream, InstanceEvent.databaseDropped(dropped)))
        #expect(fold.rows.values.allSatisfy { $0.state == .gone })
    }

    @Test("of several databases put aside the one that is dropped is gone, with its role and its logins")
    func severalAside() throws {
        let saga = try #require(StreamName("saga-provision-instance.01900000-0000-7000-8000-000000000001"))
        let stream = try #require(StreamName("instance-42"))
        var fold = LedgerFold()
        let names: [(IntendedResource.Kind, String)] = [
            (.database, "org_42"), (.database, "org_42_g2"), (.role, "user_42"), (.role, "user_42_r3"),
            (.role, "user_42_g2"), (.role, "user_42_g2_r2"),
        ]
        for (position, (kind, name)) in names.enumerated() {
            let resource = IntendedResource(kind, name, instance: "instance-42")
            let started = SagaEvent.StepStarted(step: name, attempt: 1, key: "k", resources: [resource])
            try fold.apply(recorded(Int64(position) + 1, saga, SagaEvent.stepStarted(started)))
        }
        for (position, name) in ["org_42", "org_42_g2"].enumerated() {
            let aside = InstanceEvent.DatabaseQuarantined(
                database: name,
                renamed: "zz_\(name)_1790000000",
                until: Timestamp(microseconds: 9)
            )
            try fold.apply(recorded(Int64(position) + 10, stream, InstanceEvent.databaseQuarantined(aside)))
        }
        let dropped = InstanceEvent.DatabaseDropped(database: "org_42", role: "user_42")
        try fold.apply(recorded(20, stream, InstanceEvent.databaseDropped(dropped)))
        let left = fold.rows.values.filter { $0.state != .gone }.map(\.name).sorted()
        #expect(left == ["user_42_g2", "user_42_g2_r2", "zz_org_42_g2_1790000000"])
    }

    @Test("a step that removes makes it deleting, then gone, and never present again by itself")
    func removing() throws {
        let saga = try #require(StreamName("saga-terminate-instance.01900000-0000-7000-8000-000000000001"))
        var fold = LedgerFold()
        let job = IntendedResource(.job, "job_42", removes: true)
        let id = LedgerRow.ID(kind: .job, name: "job_42")
        let started = SagaEvent.StepStarted(step: "stop", attempt: 1, key: "k", resources: [job])
        try fold.apply(recorded(1, saga, SagaEvent.stepStarted(started)))
        #expect(fold.rows[id]?.state == .deleting)
        try fold.apply(recorded(2, saga, SagaEvent.stepSucceeded(.init(step: "stop", output: [:]))))
        #expect(fold.rows[id]?.state == .gone)
        try fold.apply(recorded(3, saga, SagaEvent.stepStarted(started)))
        #expect(fold.rows[id]?.state == .gone)
    }

    private func recorded(_ position: Int64, _ stream: StreamName, _ event: some EventFamily) throws -> RecordedEvent {
        RecordedEvent(
            position: position,
            id: IDSource.system.unique(),
            stream: stream,
            organization: nil,
            version: position,
            type: event.name.rawValue,
            schemaVersion: event.schemaVersion,
            recordedAt: Timestamp(microseconds: position),
            actor: "saga-test",
            command: IDSource.system.unique(),
            cause: nil,
            correlation: IDSource.system.unique(),
            metadata: "{}",
            payload: try event.payload()
        )
    }
}
