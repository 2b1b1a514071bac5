internal import EventStore
package import Logging
internal import Metrics

/// Tells how the targets are, for those who watch the plane.
package struct TargetVitals: Sendable {
    private let board: any TargetBoard
    private let pause: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - board: What all processes know together.
    ///   - pause: How long between two looks.
    ///   - logger: For what operators should know.
    package init(board: any TargetBoard, pause: Duration = .seconds(5), logger: Logger) {
        self.board = board
        self.pause = pause
        self.logger = logger
    }

    /// Looks until the task is cancelled.
    package func run() async {
        // What never happened is told, too.
        for target in TargetLimits.targets {
            for why in TargetAdmission.Reason.allCases { Self.refusals(target, why).increment(by: 0) }
        }
        while !Task.isCancelled {
            await look()
            // Cancelled early: the loop looks whether it is.
            try? await Task.sleep(for: pause)
        }
    }

    /// One look.
    func look() async {
        do throws(LogError) {
            for target in try await board.list() {
                let name = [("target", target.name)]
                Gauge(label: "signalbox_target_state", dimensions: name)
                    .record(TargetView.statuses.firstIndex(of: target.status) ?? 0)
                Gauge(label: "signalbox_target_calls_in_flight", dimensions: name).record(target.inFlight)
            }
        } catch {
            logger.debug("the state of the targets is unknown", metadata: ["error": "\(error)"])
        }
    }

    /// Times that a saga was told to wait, and why.
    static func refusals(_ target: String, _ why: TargetAdmission.Reason) -> Counter {
        Counter(
            label: "signalbox_target_refusals_total",
            dimensions: [("target", target), ("reason", why.rawValue)]
        )
    }
}
