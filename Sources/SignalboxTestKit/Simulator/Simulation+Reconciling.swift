internal import Commands
internal import EventStore
internal import Kernel
internal import Platform
internal import Sagas
internal import SignalboxTestKit

extension Simulation {
    /// Looks twice at everything, far enough apart to believe it.
    ///
    /// - Returns: Whether something was found that has to be repaired.
    /// - Throws: What the log throws.
    @discardableResult
    package func sweep() async throws -> Bool {
        let reconciler = Reconciler(
            log: log,
            queue: log,
            inventory: WorldInventory(world: world),
            names: Names(),
            owner: "test",
            ids: clock.ids,
            logger: Self.silence
        )
        var state = Reconciler.Sweep()
        _ = try await reconciler.sweep(&state)
        clock.advance(.seconds(60))
        return try await !reconciler.sweep(&state).detected.isEmpty
    }

    /// Lets the reconciler look until it finds nothing any more, and everything that it starts come to its end.
    func reconcile() async throws {
        for _ in 0..<4 {
            // By then what was found and is still there is found again.
            clock.advance(.seconds(600))
            guard try await sweep() else { return }
            try await settle(SimulatedProcess())
        }
    }
}
