import EventStore
import Glibc
import Kernel
import Postgres
import SignalboxTestKit
import Testing

extension Torture {
    @Suite("Processes of the log are killed")
    struct Kills {
        /// What is killed.
        enum Fault {
            /// `kill -9` for Postgres, all of it.
            case server
            /// `kill -9` for the postmaster alone.
            case postmaster
            /// `kill -9` for one backend, on which Postgres ends all others and recovers.
            case backend
            /// `kill -9` for a writing process, at any moment.
            case process
            /// The same at a step of the protocol, one step after the other.
            case step

            /// In which order; every second one falls on a step.
            static let order: [Fault] = [.server, .step, .backend, .step, .process, .step, .postmaster, .step]
        }

        @Test(
            "nothing acknowledged is lost, nothing is there twice, nothing shown is taken back",
            arguments: Torture.durabilities
        )
        func kills(durability: Durability) async throws {
            let cycles = Torture.size(bounded: 32, full: 1000)
            let server = try await PostgresServer.start(
                durable: Torture.Size.current == .full,
                settings: Self.slowDisk
            )
            let database = try await server.makeDatabase(.migrated)
            let (ledger, shown) = (Ledger(), Shown())
            let oracle = Oracle(database, ledger: ledger, shown: shown)
            let workers = ["a", "b"].map {
                WorkerProcess(
                    $0,
                    conninfo: database.application,
                    durability: durability,
                    lanes: Torture.lanes,
                    ledger: ledger
                )
            }
            let pool = Pool(conninfo: database.application, size: 2, role: "signalbox_append")
            try await withLog(in: database, durability: durability) { running in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    // One process that hears of appends, and one that has to find out.
                    group.addTask { try await Reader(log: running.log, bell: running.log.bell, shown: shown).run() }
                    group.addTask {
                        try await Reader(log: PostgresLog.reader(pool: pool), bell: nil, shown: shown).run()
                    }
                    try await withWorkers(workers) {
                        for cycle in 0..<cycles {
                            let fault = Fault.order[cycle % Fault.order.count]
                            try await Self.progress(workers, ledger)
                            try await Self.inject(fault, server, workers[cycle / 2 % 2])
                            try await Self.progress(workers, ledger)
                            let found = try await Self.look(oracle, server)
                            #expect(found.lost == 0 && found.phantom == 0, "cycle \(cycle): \(fault)")
                        }
                    }
                    // Everything there is must come to be shown.
                    let end = try await running.log.frontier()
                    try await eventually(within: .seconds(60)) { shown.count >= Int(end) }
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
            await pool.close()
            var verdict = Verdict("kill -9 of Postgres, a backend and the process at every step, \(durability)")
            try await oracle.judge(&verdict, cycles: cycles)
            verdict.publish()
            verdict.expectClean()
            #expect(ledger.bugs == [])
            try await server.remove()
        }

        /// What is committed without waiting for the disk stays in memory for long, so that a crash takes it.
        private static let slowDisk = [
            "commit_delay": "3000", "commit_siblings": "0", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB",
        ]

        /// Waits until every worker has been answered a few times more.
        private static func progress(_ workers: [WorkerProcess], _ ledger: Ledger) async throws {
            let before = workers.map { ledger.total(of: $0.name) + Int.random(in: 5...60) }
            for (worker, wanted) in zip(workers, before) {
                try await eventually(within: .seconds(60)) { ledger.total(of: worker.name) >= wanted }
            }
        }

        /// Looks at what came since the last time; a server that only now notices that a backend was killed is asked again.
        private static func look(_ oracle: Oracle, _ server: PostgresServer) async throws -> (lost: Int, phantom: Int) {
            for _ in 0..<50 {
                do {
                    return try await oracle.check()
                } catch let error as PostgresError where error.isTransient {
                    try await server.ready()
                }
            }
            return try await oracle.check()
        }

        private static func inject(_ fault: Fault, _ server: PostgresServer, _ worker: WorkerProcess) async throws {
            switch fault {
            case .server:
                try await server.stop(.crash)
                try await server.launch()
            case .postmaster:
                try await server.stop(.behead)
                try await server.launch()
            case .backend:
                let connection = try await Connection.open(server.conninfo())
                let pids = try await connection.run(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'signalbox-log' AND pid IS NOT NULL"
                ).column(Int32.self)
                await connection.close()
                if let pid = pids.randomElement() { kill(pid, SIGKILL) }
                try await server.ready()
            case .process, .step:
                let starts = worker.starts
                worker.signal(fault == .step ? SIGUSR1 : SIGKILL)
                try await eventually(within: .seconds(60)) { worker.starts > starts }
            }
        }
    }
}
