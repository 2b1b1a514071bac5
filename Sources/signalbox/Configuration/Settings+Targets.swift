internal import Sagas

extension Settings {
    /// How much each target takes: what `SIGNALBOX_TARGET_LIMITS` says of some of them, and the defaults of the others.
    static func targets(_ read: inout EnvironmentReader) -> [String: TargetLimits] {
        var limits = TargetLimits.defaults
        var seen: Set<String> = []
        for part in read.list(
            "SIGNALBOX_TARGET_LIMITS",
            as: "`<target>=<calls at once>/<calls a second>/<calls after a pause>`, comma between"
        ) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2, TargetLimits.targets.contains(sides[0]), seen.insert(sides[0]).inserted,
                let wanted = TargetLimits(parsing: sides[1])
            else {
                read.complain(
                    "SIGNALBOX_TARGET_LIMITS: \(part) is not <target>=<calls at once>/<calls a second>/<after a pause>; "
                        + "targets are \(TargetLimits.targets.sorted().joined(separator: ", "))"
                )
                continue
            }
            limits[sides[0]] = wanted
        }
        return limits
    }
}
