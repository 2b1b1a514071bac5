import EventStore
import Glibc
import Kernel
import Postgres
import SignalboxTestKit
import Testing

extension Torture {
    @Suite("A process is stopped and goes on later")
    struct Stops {
        @Test(
            "a writer that is stopped stalls nobody, and is answered when it goes on",
            arguments: Torture.durabilities
        )
        func writer(durability: Durability) async throws {
            let cycles = Torture.size(bounded: 6, full: 200)
            try await withDatabase { database in
                let (ledger, shown) = (Ledger(), Shown())
                let workers = ["a", "b"].map {
                    WorkerProcess(
                        $0,
                        conninfo: database.application,
                        durability: durability,
                        lanes: Torture.lanes,
                        ledger: ledger
                    )
                }
                try await withWorkers(workers) {
                    for cycle in 0..<cycles {
                        let (stopped, other) = (workers[cycle % 2], workers[(cycle + 1) % 2])
                        try await Self.progress(of: stopped, by: Int.random(in: 5...60), ledger)
                        stopped.signal(SIGSTOP)
                        try await Self.progress(of: other, by: 200, ledger)
                        stopped.signal(SIGCONT)
                        try await Self.progress(of: stopped, by: 20, ledger)
                    }
                }
                var verdict = Verdict("SIGSTOP of a writer, \(durability)")
                try await Oracle(database, ledger: ledger, shown: shown).judge(&verdict, cycles: cycles)
                verdict.publish()
                verdict.expectClean()
                #expect(workers.map(\.starts) == [1, 1])
                #expect(ledger.bugs == [])
            }
        }

        @Test(
            "a holder of a lease that wakes up after somebody took over is fenced, and writes nothing more",
            arguments: Torture.durabilities
        )
        func holder(durability: Durability) async throws {
            let cycles = Torture.size(bounded: 4, full: 100)
            try await withDatabase { database in
                let ledger = Ledger()
                let workers = ["a", "b"].map {
                    WorkerProcess(
                        $0,
                        mode: "hold",
                        conninfo: database.application,
                        durability: durability,
                        lanes: 0,
                        ledger: ledger
                    )
                }
                try await withLog(in: database) { running in
                    let job = StreamName(category: "job", id: 1)
                    _ = try await running.log.append(
                        AppendRequest(
                            causation: Causation(actor: "system", command: IDSource.system.unique()),
                            writes: [],
                            work: [
                                WorkUpdate(
                                    job,
                                    guard: .create,
                                    kind: "chore",
                                    status: "queued",
                                    wakeAt: Timestamp(microseconds: 0)
                                )
                            ]
                        )
                    )
                    try await withWorkers(workers) {
                        for _ in 0..<cycles { try await Self.takeOver(workers, ledger) }
                    }
                    try await Self.judge(running.log, job, ledger, cycles, durability)
                }
            }
        }

        /// Stops who holds the lease until another one does, and lets it find out.
        private static func takeOver(_ workers: [WorkerProcess], _ ledger: Ledger) async throws {
            let before = ledger.total
            try await eventually(within: .seconds(30)) { ledger.total > before + 5 }
            let name = try #require(ledger.fences.last?.lane)
            let (holder, fences) = (workers.first { $0.name == name }, ledger.fenced(name))
            holder?.signal(SIGSTOP)
            try await eventually(within: .seconds(30)) { ledger.fences.last?.lane != name }
            holder?.signal(SIGCONT)
            try await eventually(within: .seconds(30)) { ledger.fenced(name) > fences }
        }

        private static func judge(
            _ log: PostgresLog,
            _ job: StreamName,
            _ ledger: Ledger,
            _ cycles: Int,
            _ durability: Durability
        ) async throws {
            var stored: [Int64: Int64] = [:]
            var fences: [Int64] = []
            while true {
                let events = try await log.read(job, after: Int64(fences.count), limit: 1000)
                if events.isEmpty { break }
                for event in events {
                    let fence = try JSON.decode([String: Int64].self, from: event.payload ?? [])["fence"]
                    stored[event.position] = fence
                    fences.append(fence ?? 0)
                }
            }
            var verdict = Verdict("SIGSTOP of a lease holder, \(durability)")
            verdict.cycles = cycles
            verdict.events = fences.count
            verdict.acknowledged = ledger.total
            verdict.lost = ledger.fences.count { stored[$0.position] != $0.fence }
            verdict.stall = ledger.stall
            verdict.publish()
            verdict.expectClean()
            // Once a later holder has written, an earlier one never does.
            #expect(fences == fences.sorted())
            #expect(Set(fences).count > cycles)
            #expect(ledger.bugs == [])
        }

        private static func progress(of worker: WorkerProcess, by more: Int, _ ledger: Ledger) async throws {
            let goal = ledger.total(of: worker.name) + more
            try await eventually(within: .seconds(60)) { ledger.total(of: worker.name) >= goal }
        }
    }
}
