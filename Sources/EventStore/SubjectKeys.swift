/// The keys of persons and of whatever else can be erased, one for each subject, wrapped by a master key.
///
/// They live beside the log, in `log.subject_key`: an event that was sealed under a destroyed key still proves, but
/// nobody can read it.
package protocol SubjectKeys: Sendable {
    /// What is known about a subject's key.
    func wrappedKey(of subject: String) async throws(LogError) -> SubjectKey

    /// Keeps a key for a subject that has none; an earlier key, or its destruction, stays.
    ///
    /// - Returns: What holds now: the key given, or what was there before.
    func keep(_ wrapped: [UInt8], for subject: String) async throws(LogError) -> SubjectKey

    /// Destroys a subject's key, for ever; fine when there is none.
    func destroy(of subject: String) async throws(LogError)
}

/// The state of one subject's key.
package enum SubjectKey: Sendable, Equatable {
    case none
    /// Ciphertext; only the holder of the master key can use it.
    case wrapped([UInt8])
    case destroyed
}
