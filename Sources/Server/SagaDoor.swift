package import Kernel
package import Sagas

/// Where operators look at sagas, and where their deeds go.
package struct SagaDoor: Sendable {
    package typealias Listing = @Sendable (SagaWish, String?, Int) async throws(SagaOperationError) -> SagaPage

    package var list: Listing = { _, _, _ throws(SagaOperationError) in throw .unavailable }
    package var show: @Sendable (UniqueID) async throws(SagaOperationError) -> SagaView =
        { _ throws(SagaOperationError) in throw .unavailable }
    // No typed throw: what comes back from a closure like this one, beside a typed error, is not put where the caller looks
    // for it (Swift 6.3.1).
    package var act: @Sendable (SagaVerb, UniqueID, SagaDeed) async -> Result<SagaReceipt, SagaOperationError> =
        { _, _, _ in .failure(.unavailable) }
    /// Returns when something was appended, or after so long.
    package var news: @Sendable (Duration) async -> Void = { span in
        // Cancellation is all that can be thrown, and it ends the wait.
        try? await Task.sleep(for: span)
    }

    package init() {}

    /// Questions and deeds as the engine's operations take them.
    ///
    /// - Parameters:
    ///   - operations: Where they go.
    ///   - news: Returns when something was appended, or after so long.
    package init(_ operations: SagaOperations, news: @escaping @Sendable (Duration) async -> Void) {
        list = { wish, cursor, limit throws(SagaOperationError) in
            try await operations.list(wish, after: cursor, limit: limit)
        }
        show = { saga throws(SagaOperationError) in try await operations.show(saga) }
        act = { verb, saga, deed in
            do throws(SagaOperationError) {
                return .success(try await operations.act(verb, on: saga, deed))
            } catch { return .failure(error) }
        }
        self.news = news
    }
}
