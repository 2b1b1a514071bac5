internal import EventStore

/// What the log, or a board beside it, says when an operator asks.
///
/// - Parameter body: The question.
/// - Returns: The answer.
/// - Throws: ``SagaOperationError/unavailable`` or ``SagaOperationError/broken(_:)``, whichever the log is.
func asked<Value>(_ body: () async throws(LogError) -> Value) async throws(SagaOperationError) -> Value {
    do throws(LogError) {
        return try await body()
    } catch {
        switch error {
        case .unavailable: throw .unavailable
        case .violated(let what): throw .broken(what)
        }
    }
}
