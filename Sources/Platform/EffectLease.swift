/// Whether the caller may still do what it began: asked by adapters at the last moment, with the target's own lock held.
///
/// A process that was stopped for longer than its lease wakes up believing that nothing has changed, while another has
/// taken everything back. The effect's lock at the target makes the two take turns, and this tells the late one.
package enum EffectLease {
    /// How to find out.
    ///
    /// A type of its own, because a task-local value that is a function itself crashes in optimised builds (Swift 6.3.1:
    /// `swift_task_localValuePush` is given no type).
    package struct Watch: Sendable {
        package let isHeld: @Sendable () async -> Bool

        package init(_ isHeld: @escaping @Sendable () async -> Bool) {
            self.isHeld = isHeld
        }
    }

    /// Everybody holds a lease that was never given.
    @TaskLocal package static var watch = Watch { true }

    /// Ends a call whose caller has lost its lease.
    ///
    /// - Throws: `unknown`; whoever has no lease any more records nothing of it.
    package static func require() async throws(PortError) {
        guard await watch.isHeld() else { throw .unknown(code: "lease-lost", message: "the lease was lost meanwhile") }
    }
}
