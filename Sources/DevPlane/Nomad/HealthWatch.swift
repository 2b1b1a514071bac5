internal import Kernel

/// Asks a running allocation's checks how it is, by real requests, and tells its deployment.
struct HealthWatch: Sendable {
    let id: String
    let store: AgentStore
    let bell: Bell

    /// Runs until a check wants the task started anew, or the task is cancelled.
    ///
    /// An allocation is healthy when everything has passed for the group's `MinHealthyTime` without a break, and unhealthy
    /// when that has not come about by the `HealthyDeadline`.
    ///
    /// - Returns: Why it is to be started anew.
    func watch() async throws -> String {
        let begun = ContinuousClock.now
        var passingSince: ContinuousClock.Instant?
        var failures = 0
        var hasPassed = false
        while true {
            guard let allocation = await store.allocation(id),
                let group = await store.spec(of: allocation).group(allocation.group)
            else { throw CancellationError() }
            let checks = group.services.flatMap { service in service.checks.map { (service, $0) } }
            var isPassing = true
            for (service, check) in checks {
                let port = allocation.ports[service.portLabel] ?? 0
                let outcome = await Probe.get(port: port, path: check.path, timeout: check.timeout)
                try Task.checkCancellation()
                await store.checked(id, check: check, service: service, group: group.name, outcome: outcome)
                isPassing = isPassing && outcome.isPassing
            }
            let now = ContinuousClock.now
            passingSince = isPassing ? passingSince ?? now : nil
            hasPassed = hasPassed || isPassing
            failures = isPassing ? 0 : failures + 1
            if let check = checks.map(\.1).first(where: { $0.restartLimit > 0 && failures >= $0.restartLimit }) {
                if hasPassed || now - begun >= check.restartGrace { return "check \"\(check.name)\" unhealthy" }
            }
            let rest = try await judge(allocation, group, passingSince: passingSince, begun: begun, now: now)
            // Until it is up it is asked more often than its checks say, so that nobody waits for a whole interval.
            let interval = checks.map(\.1.interval).min() ?? .seconds(1)
            let pause = hasPassed ? interval : min(interval, .milliseconds(50))
            try await Task.sleep(for: max(.milliseconds(5), min(pause, rest)))
        }
    }

    /// - Returns: After what time there may be something new to say, at the latest.
    private func judge(
        _ allocation: AllocationRecord,
        _ group: GroupSpec,
        passingSince: ContinuousClock.Instant?,
        begun: ContinuousClock.Instant,
        now: ContinuousClock.Instant
    ) async throws -> Duration {
        guard allocation.isHealthy == nil, !allocation.deployment.isEmpty, let update = group.update,
            update.healthCheck != "manual"
        else { return .seconds(3600) }
        if let passingSince {
            let passed = now - passingSince
            if passed >= update.minimumHealthy {
                try await store.health(id, isHealthy: true)
                return .seconds(3600)
            }
            return update.minimumHealthy - passed
        }
        if now - begun >= update.healthyDeadline { try await store.health(id, isHealthy: false) }
        return .seconds(3600)
    }
}
