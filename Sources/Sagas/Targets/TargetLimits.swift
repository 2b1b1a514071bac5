/// How much a target takes; `nil` for no limit.
package struct TargetLimits: Sendable, Equatable, Codable {
    /// Calls at once.
    package var most: Int?
    /// Calls a second, on the average.
    package var rate: Double?
    /// Calls that may come at once after a pause.
    package var burst: Double?

    package init(most: Int? = nil, rate: Double? = nil, burst: Double? = nil) {
        self.most = most
        self.rate = rate
        self.burst = burst
    }

    /// What the targets of a small plane take.
    package static let defaults = [
        "tenant-postgres": TargetLimits(most: 2), "tenant-backup": TargetLimits(most: 2),
        "nomad": TargetLimits(most: 16), "billing": TargetLimits(most: 8),
    ]

    /// Everything that a saga of this build calls and that can be unwell while the log is well.
    package static let targets: Set<String> = ["billing", "edge", "nomad", "oauth", "tenant-backup", "tenant-postgres"]

    /// As a setting says it: calls at once, calls a second, calls at once after a pause, as in `16/20/40`; a part that is
    /// left out or is `-` has no limit; `nil` when it says something else.
    ///
    /// - Parameter text: The three, or fewer.
    package init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (1...3).contains(parts.count) else { return nil }
        self.init()
        for (place, part) in parts.enumerated() where part != "-" {
            switch place {
            case 0:
                guard let most = Int(part), (1...10_000).contains(most) else { return nil }
                self.most = most
            default:
                guard let number = Double(part), number >= 0.001, number <= 100_000 else { return nil }
                if place == 1 { rate = number } else { burst = number }
            }
        }
        // How fast what was used up comes back is the rate.
        guard burst == nil || rate != nil else { return nil }
    }
}
