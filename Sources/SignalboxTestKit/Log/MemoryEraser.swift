package import EventStore

/// Erases in memory; the same contract suite runs against the eraser in Postgres.
package struct MemoryEraser: Eraser {
    private let log: MemoryLog
    private let subjects: any SubjectKeys

    package init(log: MemoryLog, subjects: any SubjectKeys) {
        self.log = log
        self.subjects = subjects
    }

    package func erase(
        _ erasure: Erasure,
        recording request: AppendRequest
    ) async throws(AppendError) -> Appended {
        let appended = try await log.append(request)
        log.erase(erasure.positions)
        for subject in erasure.subjects {
            do throws(LogError) { try await subjects.destroy(of: subject) } catch { throw .unavailable }
        }
        return appended
    }
}

extension MemorySubjectKeys: ErasedSubjects {
    package func erased(among subjects: Set<String>) async throws(LogError) -> Set<String> {
        var erased: Set<String> = []
        for subject in subjects where try await wrappedKey(of: subject) == .destroyed { erased.insert(subject) }
        return erased
    }
}
