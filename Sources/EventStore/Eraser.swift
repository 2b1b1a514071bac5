/// What is to become unreadable, for everybody and for ever.
package struct Erasure: Sendable, Equatable {
    /// Events whose payload and salt go; order, versions and proofs stay.
    package var positions: [Int64]
    /// Subjects whose key goes: what was sealed for them stays and still proves, and nobody can open it.
    package var subjects: [String]

    package init(positions: [Int64] = [], subjects: [String] = []) {
        self.positions = positions
        self.subjects = subjects
    }
}

/// Erases, and only together with the event that says so.
package protocol Eraser: Sendable {
    /// Writes the record of an erasure and carries it out, both or neither; harmless when it was done before.
    ///
    /// Every position and subject needs an event in its stream `erasure-<position or subject>`, written before or by this
    /// request.
    ///
    /// - Parameters:
    ///   - erasure: What goes.
    ///   - request: What is written.
    /// - Returns: Where it was written.
    /// - Throws: ``AppendError``; nothing was written or erased then. After `unavailable` ask again: nobody may know.
    func erase(_ erasure: Erasure, recording request: AppendRequest) async throws(AppendError) -> Appended
}

/// Knows whose personal fields can never be opened again.
package protocol ErasedSubjects: Sendable {
    /// Those of some subjects that were erased.
    func erased(among subjects: Set<String>) async throws(LogError) -> Set<String>
}
