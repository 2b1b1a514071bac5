package import EventStore
internal import Sagas
internal import Synchronization

/// A starter's place in memory.
package final class MemoryCheckpoint: SagaCheckpoint {
    private let reached: Mutex<Int64>

    package init(at position: Int64 = 0) {
        reached = Mutex(position)
    }

    func place() -> Int64 { reached.withLock { $0 } }
    package func copy() -> MemoryCheckpoint { MemoryCheckpoint(at: reached.withLock { $0 }) }
    package func position() async throws(LogError) -> Int64 { reached.withLock { $0 } }
    package func advance(to position: Int64) async throws(LogError) { reached.withLock { $0 = max($0, position) } }
}
