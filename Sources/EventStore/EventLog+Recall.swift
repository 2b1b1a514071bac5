package import Kernel

extension EventLog {
    /// Looks whether a command was accepted before.
    ///
    /// The log has no question for that, because only its answer at the moment of an append counts: so this is an append
    /// that can never be written, and that the log answers from the command when it knows it.
    ///
    /// - Parameters:
    ///   - command: The command; what it would be answered does not count.
    ///   - causation: Of the command.
    ///   - stream: Any that exists, or that the command writes to.
    /// - Returns: Where it landed and what it was answered; `nil` when it is not known.
    /// - Throws: ``AppendError``; `commandReused` when something else was asked with the same id.
    package func recall(
        _ command: CommandRecord,
        _ causation: Causation,
        on stream: StreamName
    ) async throws(AppendError) -> Appended? {
        do throws(AppendError) {
            return try await append(
                AppendRequest(
                    causation: causation,
                    command: command,
                    writes: [StreamWrite(stream, expecting: .version(.max))]
                )
            )
        } catch {
            switch error {
            case .conflict, .claimed, .fenced: return nil
            case .commandReused, .unavailable, .invalid: throw error
            }
        }
    }
}
