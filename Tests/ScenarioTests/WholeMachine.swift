import SignalboxTestKit
import Testing

/// Lets two tests at once start whole machines: more of them would only wait for each other's processors.
struct WholeMachine: SuiteTrait, TestTrait, TestScoping {
    private static let places = Places(2)

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await Self.places.take()
        defer { Self.places.give() }
        try await function()
    }
}

extension Trait where Self == WholeMachine {
    /// The tests start whole machines.
    static var wholeMachine: Self { WholeMachine() }
}
