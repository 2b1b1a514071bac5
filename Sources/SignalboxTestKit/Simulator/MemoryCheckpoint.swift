package import EventStore
internal import Sagas
internal import Synchronization

/// A starter's place in memory.
package final class MemoryCheckpoint: SagaCheckpoint {
    private let place: Mutex<Int64>

    package init(at position: Int64 = 0) {
        place = Mutex(position)
    }

    package func copy() -> MemoryCheckpoint { MemoryCheckpoint(at: place.withLock { $0 }) }
    package func position() async throws(LogError) -> Int64 { place.withLock { $0 } }
    package func advance(to position: Int64) async throws(LogError) { place.withLock { $0 = max($0, position) } }
}
