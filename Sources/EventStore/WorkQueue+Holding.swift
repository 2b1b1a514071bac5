extension WorkQueue {
    /// Works on something leased for as long as the lease can be held, and gives the lease back unless it is lost.
    ///
    /// - Parameters:
    ///   - item: What was claimed.
    ///   - lease: How long each renewal lasts; it is renewed every third of that.
    ///   - body: The work; it ends when its task is cancelled, and says whether the lease is still ours then.
    package func hold(_ item: WorkItem, lease: Duration, while body: @escaping @Sendable () async -> Bool) async {
        let isHeld = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await keepRenewing(item, lease: lease) }
            group.addTask { await body() }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
        // Who lost the lease has nothing to give back; who was cancelled has, so that a successor need not wait. A lease
        // that is not given back runs out by itself.
        if isHeld || Task.isCancelled { try? await release(item) }
    }

    /// Renews a lease until it is lost, which is `false`, or the task is cancelled, which is `true`.
    private func keepRenewing(_ item: WorkItem, lease: Duration) async -> Bool {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: lease / 3)
                guard try await renew(item, lease: lease) else { return false }
            } catch {
                // Whether it still holds is for the fence to say.
                continue
            }
        }
        return true
    }
}
