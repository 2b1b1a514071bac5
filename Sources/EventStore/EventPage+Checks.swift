internal import Metrics

/// Who reads the log and checks it: a closed set, for it labels a metric.
package enum LogConsumer: String, CaseIterable, Sendable {
    /// Whoever reads a page, whatever for.
    case page
    case history, projection, starter, ledger, reconciler, webhooks

    private static let violations = Dictionary(
        uniqueKeysWithValues: allCases.map { consumer in
            (
                consumer,
                Counter(label: "signalbox_log_violations_total", dimensions: [("consumer", consumer.rawValue)])
            )
        }
    )

    /// Has the metric offered from the beginning, as zero.
    static func offer() { _ = violations }

    fileprivate func countViolation() { Self.violations[self]?.increment() }
}

extension EventPage {
    /// Stops a reader to whom the log broke its promise that nothing is ever skipped, doubled or reordered.
    ///
    /// A filtered page may leave events out but no position unlooked at: it begins right after the last one the reader
    /// has, and its events lie in order in the stretch that was looked at.
    ///
    /// - Parameters:
    ///   - position: The last position the reader has.
    ///   - isWhole: Whether no event may be left out, because no filter was given.
    ///   - consumer: Who reads.
    /// - Throws: `violated`; it was counted then.
    package func check(
        after position: Int64,
        isWhole: Bool = false,
        for consumer: LogConsumer
    ) throws(LogError) {
        do throws(LogError) {
            guard scannedFrom == position + 1, scannedTo >= position else {
                throw .violated("after \(position) came \(scannedFrom)…\(scannedTo)")
            }
            var last = position
            for event in events {
                guard event.position > last, event.position <= scannedTo else {
                    throw .violated("after \(last) came \(event.position)")
                }
                last = event.position
            }
            if isWhole { try assertContiguous() }
        } catch {
            consumer.countViolation()
            throw error
        }
    }

    /// - Throws: `violated` when a position is missing: nothing may ever be skipped silently.
    func assertContiguous() throws(LogError) {
        for (index, event) in events.enumerated() where event.position != scannedFrom + Int64(index) {
            throw .violated("position \(scannedFrom + Int64(index)) is missing")
        }
        guard events.count == max(0, scannedTo - scannedFrom + 1) else {
            throw .violated("position \(scannedFrom + Int64(events.count)) is missing")
        }
    }
}
