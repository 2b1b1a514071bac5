internal import Kernel
package import Logging
internal import ServiceLifecycle

/// A scheduler for one machine that speaks the part of Nomad's HTTP API which Signalbox uses, and runs each task as a
/// process of its own.
///
/// What it has been told survives a restart, and so do the processes when this one is killed: they are adopted by the
/// next start. A clean stop ends them; the next start starts them again.
package struct NomadAgent: Service {
    /// What an agent is made of.
    package struct Configuration: Sendable {
        /// The folder of its state, of tasks and their logs, like `.signalbox/agent`.
        package var directory: String
        /// The folder where the children are written down, like `.signalbox/run`.
        package var runDirectory: String
        /// Preferred; another free one is taken when it is not free, or 0.
        package var port: Int
        /// The executable and its arguments every task runs, whatever its image.
        package var command: [String]
        /// What certain images run instead.
        package var commands: [String: [String]] = [:]
        /// Whom tasks drop to; only root can.
        package var account: Account?
        /// Passed on to every task, like `PATH`; a task's own environment wins.
        package var environment: [String: String] = [:]
        /// Whose secret requests must carry, when there is one.
        package var token: String?
        package var datacenter = "dc1"
        /// The node's labels, like `["tier": "team", "compute": "hetzner"]`.
        package var nodeMeta: [String: String] = [:]
        /// MHz of the node.
        package var cpu = 1_000_000
        /// MB of the node.
        package var memory = 4_000_000
        /// Where dynamic ports come from.
        package var ports = 20000...31999
        /// How often an idle event stream says that it is there.
        package var heartbeat: Duration = .seconds(30)

        package init(directory: String, runDirectory: String, port: Int = 4646, command: [String]) {
            self.directory = directory
            self.runDirectory = runDirectory
            self.port = port
            self.command = command
        }
    }

    private let configuration: Configuration
    private let faults: Faults
    private let logger: Logger
    private let listening = Once<Int>()

    package init(_ configuration: Configuration, faults: Faults = Faults(), logger: Logger = Logger(label: "nomad")) {
        self.configuration = configuration
        self.faults = faults
        self.logger = logger
    }

    /// The port it listens on, as soon as it does.
    ///
    /// - Throws: `CancellationError`, also when it ends before it listens.
    package var port: Int {
        get async throws { try await listening.value }
    }

    /// Serves until it is cancelled or told to shut down, and ends every task then.
    ///
    /// - Throws: What keeps it from reading or writing its state, or from listening.
    package func run() async throws {
        let bell = Bell()
        defer { listening.set(.failure(CancellationError())) }
        let store = try AgentStore(configuration, bell: bell, ids: .system, logger: logger)
        let routes = AgentRoutes(
            store: store,
            bell: bell,
            token: configuration.token,
            heartbeat: configuration.heartbeat,
            logger: logger
        )
        let server = LocalServer(
            port: configuration.port,
            faults: faults,
            logger: logger,
            onListening: { [listening] in listening.set($0) },
            answer: { await routes.answer($0) }
        )
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                group.addTask { try await schedule(store, bell) }
                group.addTask { await runAllocations(store, bell) }
                // Whichever ends first ends all, however it ends: normally nobody does before the shutdown.
                let first = await group.nextResult()
                bell.close()
                try first?.get()
                try await group.waitForAll()
            }
        } onGracefulShutdown: {
            bell.close()
        }
    }

    /// Does what is due, whenever something changes or its time comes.
    private func schedule(_ store: AgentStore, _ bell: Bell) async throws {
        while !bell.isClosed, !Task.isCancelled {
            let count = bell.count
            let idle = try await store.schedule()
            await bell.wait(after: count, limit: idle)
        }
    }

    /// Gives every allocation that should be here its task, and waits for all of them at the end.
    private func runAllocations(_ store: AgentStore, _ bell: Bell) async {
        await withDiscardingTaskGroup { group in
            var known: Set<String> = []
            while !bell.isClosed, !Task.isCancelled {
                let count = bell.count
                let wanted = await store.runnable()
                for id in wanted where known.insert(id).inserted {
                    let run = AllocationRun(
                        id: id,
                        store: store,
                        configuration: configuration,
                        bell: bell,
                        logger: logger
                    )
                    group.addTask { await run.live() }
                }
                known.formIntersection(wanted)
                await bell.wait(after: count, limit: .seconds(3600))
            }
        }
    }
}
