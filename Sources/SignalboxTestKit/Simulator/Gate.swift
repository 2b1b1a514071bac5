/// Where a process stands still until it is let through.
package actor Gate {
    private var hasArrived = false
    private var hasLeft = false
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    package init() {}

    /// Stands still until the gate is open.
    package func arrive() async {
        hasArrived = true
        wake()
        while !isOpen { await change() }
    }

    package func leave() {
        (hasLeft, hasArrived) = (true, true)
        wake()
    }

    package func open() {
        isOpen = true
        wake()
    }

    /// Returns when somebody stands at the gate, or will never.
    package func arrival() async { while !hasArrived { await change() } }

    /// Returns when whoever stood at the gate is through with everything.
    package func departure() async { while !hasLeft { await change() } }

    private func change() async { await withCheckedContinuation { waiting.append($0) } }

    private func wake() {
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}
