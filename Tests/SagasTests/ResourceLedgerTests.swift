import Domain
import EventStore
import Kernel
import Platform
import Postgres
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("The resource ledger in Postgres")
struct ResourceLedgerTests {
    @Test("keeps up with the log, is made anew from it as the same, and knows the orphans")
    func whole() async throws {
        let simulation = try await Simulation()
        simulation.world.change { $0.refusals["ensureDatabase"] = [.blocked(code: "402", message: "no quota")] }
        try await withDatabase { database in
            let pool = Pool(conninfo: database.application, size: 6, role: "signalbox_append")
            let log = try await PostgresLog.open(conninfo: database.application, pool: pool)
            let queue = PostgresWorkQueue(pool: pool)
            let definition = try simulation.definition(SimulatedProcess())
            let starter = Starter(
                log: log,
                queue: queue,
                checkpoint: PostgresCheckpoint(pool: pool),
                definitions: [definition]
            )
            let engine = SagaEngine(log: log, queue: queue, definitions: [definition], owner: "test")
            let operations = SagaOperations(log: log, queue: queue, definitions: [definition])
            let directory = ResourceDirectory(pool: pool)
            // Two processes keep one ledger.
            let ledgers = (0..<2).map { _ in ResourceLedger(pool: pool, log: log) }
            try await withThrowingTaskGroup { group in
                group.addTask { await log.run() }
                _ = try await log.append(try simulation.onboarding())
                while try await starter.turn() {}
                while await engine.turn() > 0 {}
                try await catchUp(ledgers, to: log)
                let kept = try await directory.list(limit: 200).data
                #expect(Set(kept.map(\.kind)) == [.customer, .subscription, .role, .database])
                #expect(kept.first { $0.kind == .database }?.state == .intended)
                #expect(try await directory.list(ResourceWish(orphans: true)).data.isEmpty)
                #expect(try await directory.list(ResourceWish(state: "intended")).data.map(\.kind) == [.database])
                #expect(try await directory.list(ResourceWish(saga: "\(simulation.cause)")).data.count == 4)
                let first = try await directory.list(limit: 3)
                let rest = try await directory.list(after: first.next, limit: 3)
                #expect((first.data + rest.data).map(\.id) == kept.map(\.id) && rest.next == nil)

                // Nobody looks after what an abandoned saga made; the customer is the organization's.
                try await operations.act(.abandon, on: simulation.cause, .byOperator)
                try await catchUp(ledgers, to: log)
                let orphans = try await directory.list(ResourceWish(orphans: true)).data
                #expect(Set(orphans.map(\.kind)) == [.role, .database])
                #expect(try await directory.orphanCount() == 2)

                try await ledgers[0].forget()
                #expect(try await directory.list(limit: 200).data.isEmpty)
                try await catchUp(ledgers, to: log)
                #expect(try await directory.list(limit: 200).data == kept)
                log.close()
                try await group.waitForAll()
            }
            await pool.close()
        }
    }

    private func catchUp(_ ledgers: [ResourceLedger], to log: PostgresLog) async throws {
        try await withThrowingTaskGroup { group in
            for ledger in ledgers { group.addTask { while try await ledger.turn() {} } }
            try await group.waitForAll()
        }
        let frontier = try await log.frontier()
        #expect(try await ledgers[0].position() == frontier)
    }
}
