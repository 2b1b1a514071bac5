import Commands
import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("Deleting an organization")
struct DeleteOrganizationTests {
    private let simulation: Simulation

    init() async throws {
        simulation = try await Simulation()
    }

    private func deleted() async throws -> Organization {
        let stream = Streams.organization(simulation.organization)
        return try await Aggregates(log: simulation.log).load(Organization.self, from: stream).model
    }

    @Test("its instances end by sagas of their own, its keys end, and what is personal is erased")
    func happy() async throws {
        try await simulation.provision()
        try await simulation.record(
            .issueKey(.init(key: simulation.clock.ids.identifier(), hash: "h", scopes: ["read"], role: .viewer))
        )
        let saga = try await simulation.delete()
        #expect(try await simulation.status(of: DeleteOrganization.kind, saga) == "completed")
        #expect(try await deleted().stage == .deleted)
        #expect(try await simulation.model().stage == .terminated)
        #expect(simulation.world.read { $0.erased } == ["organization-\(simulation.organization)"])
        #expect(simulation.log.events.contains { $0.type == "organization.api-key-revoked" })
        #expect(simulation.log.events.contains { $0.type == "organization.personal-data-erased" })
        simulation.world.read { state in
            #expect(state.databases.isEmpty && state.quarantined.isEmpty && state.roles.isEmpty)
            #expect(!state.subscriptions.contains { $0.status == .active })
        }
    }

    @Test("a provisioning that is under way is taken back")
    func meanwhile() async throws {
        let dying = SimulatedProcess { _, point in point == .after("ensureDatabase") ? .die : .go }
        try await simulation.start()
        _ = await (try simulation.engine(dying)).turn()
        simulation.clock.advance(.seconds(60))
        let saga = try await simulation.delete()
        #expect(try await simulation.status(of: DeleteOrganization.kind, saga) == "completed")
        #expect(try await simulation.model().stage == .terminated)
        #expect(simulation.world.read { $0.databases.isEmpty && $0.roles.isEmpty })
    }

    @Test("an instance that cannot be terminated is left to a person, and the deletion goes on afterwards")
    func stuck() async throws {
        try await simulation.provision()
        simulation.world.change { $0.refusals["backUp"] = [.permanent(code: "no", message: "never")] }
        let saga = try await simulation.delete()
        #expect(try await simulation.status(of: DeleteOrganization.kind, saga) == "parked")
        #expect(try await simulation.model().stage == .running)
        try await simulation.play(.requestTermination(reason: "by hand"))
        try await simulation.operations().resume(saga, SagaDeed(actor: "operator-1", reason: "done by hand"))
        try await simulation.rest()
        #expect(try await simulation.status(of: DeleteOrganization.kind, saga) == "completed")
    }

    @Test("an outage is waited out")
    func outage() async throws {
        try await simulation.provision()
        simulation.world.change {
            $0.refusals["erase"] = Array(repeating: .transient(code: "503", message: "unwell"), count: 3)
        }
        let saga = try await simulation.delete()
        #expect(try await simulation.status(of: DeleteOrganization.kind, saga) == "completed")
    }

    @Test("there is no way back")
    func noWayBack() async throws {
        try await simulation.provision()
        simulation.world.change { $0.outages["backUp"] = .blocked(code: "no", message: "no room") }
        let saga = try await simulation.delete(until: "saga.parked")
        await #expect(throws: SagaOperationError.self) {
            try await simulation.operations().cancel(saga, SagaDeed(actor: "operator-1", reason: "a mistake"))
        }
        await #expect(throws: Organization.Refusal.deleting) { try await deleted().requireActive() }
    }
}

extension Simulation {
    /// Asks for the deletion of the organization, and lets everything follow from it.
    func delete(until type: String? = nil) async throws -> UniqueID {
        let saga = try await record(.requestDeletion(reason: "asked"))
        try await rest(until: type)
        return saga
    }

    /// Records something of the organization.
    @discardableResult
    func record(_ command: Organization.Command) async throws -> UniqueID {
        try await write(Organization.self, Streams.organization(organization), command)
    }
}
