package import EventStore
internal import Synchronization

/// Subjects' keys in memory; the same contract suite runs against those in Postgres.
package final class MemorySubjectKeys: SubjectKeys {
    private let keys = Mutex<[String: SubjectKey]>([:])

    package init() {}

    package func wrappedKey(of subject: String) async throws(LogError) -> SubjectKey {
        keys.withLock { $0[subject] ?? .none }
    }

    package func keep(_ wrapped: [UInt8], for subject: String) async throws(LogError) -> SubjectKey {
        keys.withLock { keys in
            if let known = keys[subject] { return known }
            keys[subject] = .wrapped(wrapped)
            return .wrapped(wrapped)
        }
    }

    package func destroy(of subject: String) async throws(LogError) {
        keys.withLock { $0[subject] = .destroyed }
    }
}
