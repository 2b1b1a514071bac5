package import Sagas

/// Where operators look at what sagas call, and where they have it left alone or asked again.
package struct TargetDoor: Sendable {
    /// What can be done to a target.
    package enum Verb: String, Sendable, CaseIterable {
        case open, close
    }

    package var list: @Sendable () async throws(SagaOperationError) -> TargetList =
        { () throws(SagaOperationError) in throw .unavailable }
    // No typed throw, as in ``SagaDoor/act``.
    package var act: @Sendable (Verb, String, SagaDeed) async -> Result<SagaReceipt, SagaOperationError> =
        { _, _, _ in .failure(.unavailable) }

    package init() {}

    /// Questions and deeds as the operations take them.
    package init(_ operations: TargetOperations) {
        list = { () throws(SagaOperationError) in try await operations.list() }
        act = { verb, target, deed in
            do throws(SagaOperationError) {
                switch verb {
                case .open: return .success(try await operations.open(target, deed))
                case .close: return .success(try await operations.close(target, deed))
                }
            } catch { return .failure(error) }
        }
    }
}
