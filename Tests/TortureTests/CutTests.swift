import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

extension Torture {
    @Suite("The connection of a writer is cut")
    struct Cuts {
        @Test("each request gets its true answer once, wherever the cut fell", arguments: Torture.durabilities)
        func cuts(durability: Durability) async throws {
            let cycles = Torture.size(bounded: 12, full: 300)
            let server = try await PostgresServer.start(durable: true)
            let database = try await server.makeDatabase(.migrated)
            let proxy = try CuttingProxy(before: server, cutting: "append")
            let (ledger, shown) = (Ledger(), Shown())
            let oracle = Oracle(database, ledger: ledger, shown: shown)
            let worker = WorkerProcess(
                "a",
                conninfo: proxy.conninfo(user: "signalbox", database: database.name),
                durability: durability,
                lanes: Torture.lanes,
                ledger: ledger
            )
            try await withWorkers([worker]) {
                for cycle in 0..<cycles {
                    let goal = ledger.total + Int.random(in: 5...60)
                    try await eventually(within: .seconds(60)) { ledger.total >= goal }
                    proxy.arm(CuttingProxy.Cut.allCases[cycle % CuttingProxy.Cut.allCases.count])
                    try await eventually(within: .seconds(60)) { proxy.cuts == cycle + 1 }
                }
                let goal = ledger.total + 100
                try await eventually(within: .seconds(60)) { ledger.total >= goal }
            }
            proxy.close()
            var verdict = Verdict("connection cut before, after and instead of the answer, \(durability)")
            try await oracle.judge(&verdict, cycles: cycles)
            verdict.publish()
            verdict.expectClean()
            // The process was never killed: what it could not learn it asked again by itself.
            #expect(worker.starts == 1)
            #expect(ledger.refusals == 0)
            #expect(ledger.bugs == [])
            try await server.remove()
        }
    }
}
