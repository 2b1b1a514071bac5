import Glibc

extension DevProcess {
    /// Asks something of a process that kills itself right after an append of a saga is durable, before anything else
    /// happens.
    ///
    /// - Parameters:
    ///   - append: Which append, counted from 1.
    ///   - patience: How long the operation may take to come there, at most.
    ///   - operation: The operation that was started.
    ///   - ask: Asks.
    /// - Returns: What `ask` returned, and whether there were as many appends as that.
    /// - Throws: What `ask` throws, or ``Failure`` when the process cannot be used.
    func crash<Asked: Sendable>(
        after append: Int,
        within patience: Duration = .seconds(30),
        operation: @escaping @Sendable (Asked) -> String,
        _ ask: @escaping @Sendable (Story) async throws -> Asked
    ) async throws -> (asked: Asked, crashed: Bool) {
        let outcome = try await run(
            ending: 0,
            environment: ["SIGNALBOX_CRASH_AFTER_SAGA_APPENDS": "\(append)"]
        ) { running in
            let story = Story(running: running)
            let asked = try await ask(story)
            // Ends by the crash, or, when there were fewer appends than that, by completing.
            let ended = try? await story.ended(operation(asked), within: patience)
            if ended != nil { kill(running.pid, SIGINT) }
            return asked
        }
        return (outcome.value, outcome.status == 128 + Int(SIGKILL))
    }
}
