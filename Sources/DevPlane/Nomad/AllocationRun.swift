internal import FoundationEssentials
internal import Glibc
internal import Kernel
internal import Logging

/// The life of one allocation on this machine: its process, its services, its health, its end.
///
/// One task of an allocation is run, the first; tenants have no other.
struct AllocationRun: Sendable {
    let id: String
    let store: AgentStore
    let configuration: NomadAgent.Configuration
    let bell: Bell
    let logger: Logger

    /// What ended, or is to end, a process.
    private enum Ending: Sendable, Equatable {
        case exited(Exit)
        case stopWanted
        case templateChanged
        case restartAsked
        case unhealthy(String)
        case shutdown
    }

    private var name: String { "alloc-\(id)" }
    private var directory: String { "\(configuration.directory)/alloc/\(id)" }
    private var run: RunDirectory { RunDirectory(configuration.runDirectory) }

    /// Runs it until it is over, or the agent shuts down.
    func live() async {
        do {
            try await go()
        } catch {
            logger.error("allocation given up", metadata: ["allocation": "\(id)", "error": "\(error)"])
        }
        if await store.allocation(id)?.isOver ?? true { cleanUp() }
    }

    private func go() async throws {
        guard var allocation = await store.allocation(id),
            let group = await store.spec(of: allocation).group(allocation.group), let task = group.tasks.first
        else { return }
        var exits: [ContinuousClock.Instant] = []
        var adopted = run.entry(name).flatMap { $0.isAlive ? $0 : nil } ?? stray(of: allocation)
        while true {
            let ending: Ending
            if let entry = adopted {
                logger.info("task adopted", metadata: ["allocation": "\(id)", "pid": "\(entry.pid)"])
                ending = try await supervise(allocation, group, task, adopting: entry)
                adopted = nil
            } else {
                allocation = try await store.movingFromTakenPorts(id) ?? allocation
                guard let environment = try await prepare(allocation, group, task) else { return }
                ending = try await supervise(allocation, group, task, environment: environment)
            }
            run.remove(name)
            switch ending {
            case .shutdown:
                return
            case .stopWanted:
                let event = await store.event("Killed", "Task successfully killed")
                return try await store.over(id, task: task.name, client: "complete", description: "", event)
            case .templateChanged:
                let event = await store.event("Restart Signaled", "Template with change_mode restart re-rendered")
                try await store.note(id, task: task.name, event)
            case .restartAsked:
                continue
            case .unhealthy(let reason):
                let event = await store.event("Restart Signaled", reason)
                try await store.restarting(id, task: task.name, event)
            case .exited(.code(0)) where await store.spec(of: allocation).type == "batch":
                // It came to its end, and that is what it was for.
                let event = await store.event("Terminated", "Exit Code: 0")
                return try await store.over(id, task: task.name, client: "complete", description: "", event)
            case .exited(let exit):
                guard try await mayRestart(exit, group.restart, task, &exits) else { return }
            }
        }
    }

    /// A process that was started just before this program was killed, and so was never written down.
    private func stray(of allocation: AllocationRecord) -> RunEntry? {
        // No file, no number, no such process: there is none.
        guard let text = try? String(contentsOfFile: directory + "/pid", encoding: .utf8),
            let pid = Int32(text.prefix { $0.isNumber }),
            let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ"),
            environment.split(separator: 0).contains(where: { $0.elementsEqual("NOMAD_ALLOC_ID=\(id)".utf8) })
        else { return nil }
        let entry = RunEntry(name: name, pid: pid, port: allocation.ports.values.first, command: configuration.command)
        guard entry.isAlive else { return nil }
        write(entry)
        return entry
    }

    private func write(_ entry: RunEntry) {
        // A child that is not written down is still found by its own file, so nothing is lost yet.
        do { try run.write(entry) } catch {
            logger.error("child not written down", metadata: ["allocation": "\(id)", "error": "\(error)"])
        }
    }

    // MARK: - Before

    /// What the process is started with; `nil` when it is not to be started any more.
    private func prepare(
        _ allocation: AllocationRecord,
        _ group: GroupSpec,
        _ task: TaskSpec
    ) async throws -> [String: String]? {
        var isTold = false
        while true {
            let count = bell.count
            guard !bell.isClosed, !Task.isCancelled else { return nil }
            guard let current = await store.allocation(id), current.desired == "run" else {
                let event = await store.event("Killed", "Task was stopped before it started")
                try await store.over(id, task: task.name, client: "complete", description: "", event)
                return nil
            }
            do {
                return try await environment(allocation, group, task)
            } catch {
                if !isTold {
                    let event = await store.event("Template", error.message)
                    try await store.note(id, task: task.name, event)
                    isTold = true
                }
            }
            await bell.wait(after: count, limit: .seconds(60))
        }
    }

    private func environment(
        _ allocation: AllocationRecord,
        _ group: GroupSpec,
        _ task: TaskSpec
    ) async throws(Template.Failure) -> [String: String] {
        let spec = await store.spec(of: allocation)
        var environment = configuration.environment
        environment.merge(TaskEnvironment.variables(allocation, spec, group, task, configuration, directory)) { $1 }
        environment.merge(task.environment) { $1 }
        for json in task.templates where json["Envvars"]?.bool == true {
            let template = Template(json)
            var found: [String: [String: String]] = [:]
            for path in template.paths { found[path] = await store.variable(path)?.items }
            let text = try template.render(items: { found[$0] }, environment: environment)
            environment.merge(Template.environment(in: text)) { $1 }
        }
        return environment
    }

    /// The state of everything the task's templates read; a new process is due when it changes.
    private func versions(of task: TaskSpec) async -> [String: Int64] {
        var versions: [String: Int64] = [:]
        for json in task.templates where json["ChangeMode"]?.string == "restart" {
            for path in Template(json).paths { versions[path] = await store.variable(path)?.modifyIndex ?? 0 }
        }
        return versions
    }

    // MARK: - Meanwhile

    private func supervise(
        _ allocation: AllocationRecord,
        _ group: GroupSpec,
        _ task: TaskSpec,
        environment: [String: String]
    ) async throws -> Ending {
        try makeDirectory()
        let command = (configuration.commands[task.image] ?? configuration.command) + task.arguments
        let child = ChildProcess(
            command: command,
            environment: environment,
            directory: directory,
            log: "\(directory)/\(task.name).log",
            account: configuration.account
        )
        let started = Once<RunEntry>()
        let port = allocation.ports.values.first
        return try await withThrowingTaskGroup(of: Ending.self) { tasks in
            tasks.addTask {
                let exit = await child.run(grace: task.killTimeout) { pid in
                    let entry = RunEntry(name: name, pid: pid, port: port, command: command)
                    write(entry)
                    started.set(entry)
                }
                started.set(.failure(CancellationError()))
                return .exited(exit)
            }
            // It throws when the process never started, which the exit below explains.
            if let entry = try? await started.value {
                try await store.running(id, task: task.name)
                watch(&tasks, allocation, group, task)
                return try await end(&tasks, entry, group, task)
            }
            return try await tasks.next() ?? .exited(.unknown)
        }
    }

    private func supervise(
        _ allocation: AllocationRecord,
        _ group: GroupSpec,
        _ task: TaskSpec,
        adopting entry: RunEntry
    ) async throws -> Ending {
        try await withThrowingTaskGroup(of: Ending.self) { tasks in
            tasks.addTask {
                await entry.gone()
                return .exited(.unknown)
            }
            watch(&tasks, allocation, group, task)
            return try await end(&tasks, entry, group, task)
        }
    }

    private func watch(
        _ tasks: inout ThrowingTaskGroup<Ending, any Error>,
        _ allocation: AllocationRecord,
        _ group: GroupSpec,
        _ task: TaskSpec
    ) {
        tasks.addTask { try await awaitWish(task) }
        tasks.addTask {
            let health = HealthWatch(id: id, store: store, bell: bell)
            do {
                return .unhealthy(try await health.watch())
            } catch is CancellationError {
                // An adopted process has to be ended by us even then.
                return .shutdown
            }
        }
    }

    /// Waits until somebody wants the process to end.
    private func awaitWish(_ task: TaskSpec) async throws -> Ending {
        let known = await versions(of: task)
        let asked = await store.restartsAsked[id]
        while true {
            let count = bell.count
            if bell.isClosed || Task.isCancelled { return .shutdown }
            guard let current = await store.allocation(id), current.desired == "run" else { return .stopWanted }
            if await versions(of: task) != known { return .templateChanged }
            if await store.restartsAsked[id] != asked { return .restartAsked }
            try await store.refreshServices(id)
            await bell.wait(after: count, limit: .seconds(600))
        }
    }

    /// Waits for the first thing to happen, and sees to it that the process is gone.
    private func end(
        _ tasks: inout ThrowingTaskGroup<Ending, any Error>,
        _ entry: RunEntry,
        _ group: GroupSpec,
        _ task: TaskSpec
    ) async throws -> Ending {
        let first = try await tasks.next() ?? .shutdown
        defer { tasks.cancelAll() }
        switch first {
        case .exited:
            try await store.withdraw(id)
        case .shutdown:
            await entry.end(within: min(task.killTimeout, .seconds(5)))
        case .stopWanted:
            try await store.withdraw(id)
            await linger(group.shutdownDelay, entry)
            await entry.end(within: task.killTimeout)
        case .templateChanged, .restartAsked, .unhealthy:
            await entry.end(within: task.killTimeout)
        }
        while entry.isAlive { await entry.gone() }
        return first
    }

    /// Gives those who found its services time to forget them.
    private func linger(_ delay: Duration, _ entry: RunEntry) async {
        let deadline = ContinuousClock.now + delay
        while entry.isAlive, !bell.isClosed, !Task.isCancelled, ContinuousClock.now < deadline {
            let count = bell.count
            guard await !store.hurried.contains(id) else { return }
            await bell.wait(after: count, limit: min(.milliseconds(200), deadline - ContinuousClock.now))
        }
    }

    // MARK: - After

    /// Applies the restart policy to a process that ended by itself.
    ///
    /// - Returns: Whether it is to be started again; it has waited then.
    private func mayRestart(
        _ exit: Exit,
        _ policy: RestartSpec,
        _ task: TaskSpec,
        _ exits: inout [ContinuousClock.Instant]
    ) async throws -> Bool {
        guard await store.allocation(id)?.desired == "run" else { return true }
        let now = ContinuousClock.now
        exits = exits.filter { now - $0 < policy.interval } + [now]
        var event = await store.event("Terminated", "Exit: \(exit)")
        if case .code(let code) = exit { event.exitCode = code }
        if case .signal(let number) = exit { event.signal = number }
        if case .unstarted(let reason) = exit { event = await store.event("Driver Failure", reason) }
        if exits.count > policy.attempts, policy.mode == "fail" {
            event.failsTask = true
            try await store.note(id, task: task.name, event)
            let last = await store.event(
                "Not Restarting",
                "Exceeded allowed attempts \(policy.attempts) in interval \(policy.interval) and mode is \"fail\""
            )
            try await store.over(id, task: task.name, client: "failed", description: "Failed tasks", last)
            return false
        }
        try await store.restarting(id, task: task.name, event)
        let deadline = now + policy.delay
        while ContinuousClock.now < deadline, !bell.isClosed, !Task.isCancelled {
            let count = bell.count
            guard await store.allocation(id)?.desired == "run" else { return true }
            await bell.wait(after: count, limit: deadline - ContinuousClock.now)
        }
        return true
    }

    private func makeDirectory() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        guard let account = configuration.account else { return }
        chown(directory, account.user, account.group)
    }

    private func cleanUp() {
        run.remove(name)
        // Logs of what is over are of no use to anybody; a folder that stays does no harm.
        try? FileManager.default.removeItem(atPath: directory)
    }
}

extension Template.Failure {
    fileprivate var message: String {
        switch self {
        case .missing(let path): "Missing: nomad.var.block(\(path)@default.global)"
        case .invalid(let reason): "Template failed: \(reason)"
        }
    }
}
