import Commands
import EventStore
import Kernel
import Logging
import Platform
import Postgres
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("Sagas over Postgres")
struct SagasOverPostgresTests {
    @Test("starter and two engines bring one provisioning to its end, each step once")
    func whole() async throws {
        let simulation = try await Simulation()
        try await withDatabase { database in
            let pool = Pool(conninfo: database.application, size: 6, role: "signalbox_append")
            let log = try await PostgresLog.open(conninfo: database.application, pool: pool)
            let queue = PostgresWorkQueue(pool: pool)
            let definition = try simulation.definition(SimulatedProcess())
            let starter = Starter(
                log: log,
                queue: queue,
                checkpoint: PostgresCheckpoint(pool: pool),
                definitions: [definition],
                wakeup: SagaEngine.wakeup(by: log.bell)
            )
            let engines = (0..<2).map { number in
                SagaEngine(
                    log: log,
                    queue: queue,
                    definitions: [definition],
                    owner: "test-\(number)",
                    wakeup: SagaEngine.wakeup(by: log.workBell)
                )
            }
            let stream = try simulation.stream()
            try await withThrowingTaskGroup { group in
                group.addTask { await log.run() }
                let following = Task { await starter.run() }
                for engine in engines { group.addTask { await engine.run() } }
                _ = try await log.append(try simulation.onboarding())
                try await eventually(within: .seconds(30)) {
                    try await queue.list(kinds: nil, statuses: ["completed"]).map(\.stream) == [stream]
                }
                for engine in engines { engine.stop() }
                following.cancel()
                await following.value
                log.close()
                try await group.waitForAll()
            }
            let events = try await log.read(stream, after: 0, limit: 100)
            #expect(events.count == 30)
            #expect(simulation.world.read { $0.subscriptions.map(\.activations) } == [1])
            #expect(simulation.world.read { $0.databases.count } == 1)
            await pool.close()
        }
    }

    @Test("the starter's place only moves on")
    func checkpoint() async throws {
        try await withDatabase { database in
            let pool = Pool(conninfo: database.application, size: 2, role: "signalbox_append")
            let checkpoint = PostgresCheckpoint(pool: pool)
            #expect(try await checkpoint.position() == 0)
            for position: Int64 in [7, 3, 9] { try await checkpoint.advance(to: position) }
            #expect(try await checkpoint.position() == 9)
            #expect(try await PostgresCheckpoint(pool: pool, name: "other").position() == 0)
            await pool.close()
        }
    }

    @Test("a kept secret is sealed in the table, and only its own key and name open it")
    func kept() async throws {
        try await withDatabase { database in
            let pool = Pool(conninfo: database.application, size: 2, role: "signalbox_append")
            let bytes: [UInt8] = (0..<32).map { UInt8(truncatingIfNeeded: $0 * $0 * 31 + 7) }
            let secrets = SealedSecrets(pool: pool, keys: try MasterKeys([1: bytes]))
            #expect(try await secrets.secret(named: "oauth-client-42") == nil)
            for text in ["first", "second"] { try await secrets.keep(Secret(text), as: "oauth-client-42") }
            #expect(try await secrets.secret(named: "oauth-client-42") == Secret("second"))

            let admin = try await Connection.open(database.superuser)
            let stored = try await admin.run("SELECT sealed FROM log.secret").decode(0, [UInt8].self)
            #expect(!String(decoding: stored, as: UTF8.self).contains("second"))
            _ = try await admin.run("UPDATE log.secret SET name = 'oauth-client-43'")
            await admin.close()
            let error = await #expect(throws: PortError.self) {
                try await secrets.secret(named: "oauth-client-43")
            }
            #expect(error?.code == "master-key")
            await pool.close()
        }
    }
}
