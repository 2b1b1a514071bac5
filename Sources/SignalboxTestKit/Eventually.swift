package import Testing

/// Waits until `condition` holds, looking every few milliseconds; records an issue when it never does.
///
/// - Parameters:
///   - limit: How long to wait.
///   - sourceLocation: Where to report.
///   - condition: What is observed.
/// - Throws: What `condition` throws.
package func eventually(
    within limit: Duration = .seconds(10),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("did not become true within \(limit)", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
