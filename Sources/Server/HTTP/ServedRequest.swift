package import Kernel

/// A request that was answered, for those who follow traces.
package struct ServedRequest: Sendable {
    /// The caller's id of it, or ours.
    package var id: String
    package var trace: TraceContext
    package var method: String
    /// The route's pattern; `nil` when no route was found.
    package var route: String?
    package var status: Int
    /// What was wrong, as a slug; `nil` when nothing was.
    package var problem: String?
    package var start: Timestamp
    package var took: Duration
}
