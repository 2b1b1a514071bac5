import Commands
import Platform

@testable import Sagas

extension Simulation {
    /// What is wrong with how it ended; empty when nothing is.
    func violations() async throws -> [String] {
        var wrong: [String] = []
        let status = try await status()
        let stage = try await stage()
        world.read { state in
            let active = state.subscriptions.filter { $0.status == .active || $0.status == .paused }
            let running = state.jobs.values.filter { !$0.isStopped }
            switch status {
            case "completed":
                if stage != .running { wrong.append("the instance is \(stage.rawValue)") }
                if state.databases.count != 1 || state.roles.count != 1 { wrong.append("database or role missing") }
                if state.isolated.count != 1 { wrong.append("not isolated") }
                if running.count != 1 { wrong.append("\(running.count) jobs run") }
                if active.count != 1 { wrong.append("\(active.count) active subscriptions") }
                let password = state.roles.values.first?.password
                let given = state.secrets.values.first?.items[TenantEnvironment.Item.database]
                if password == nil || password != given { wrong.append("the instance cannot log in") }
            case "compensated":
                if stage != .provisioningFailed { wrong.append("the instance is \(stage.rawValue)") }
                if !state.databases.isEmpty { wrong.append("a database is left") }
                if !state.roles.isEmpty, state.quarantined.isEmpty { wrong.append("a role is left") }
                if state.secrets.values.contains(where: { !$0.items.isEmpty }) { wrong.append("a secret is left") }
                if !running.isEmpty { wrong.append("a job is left running") }
                if !active.isEmpty { wrong.append("billed without an instance") }
            default:
                wrong.append("it ended \(status ?? "nowhere")")
            }
            if state.activations > 1 { wrong.append("activated \(state.activations) times") }
            if state.subscriptions.count > 1 { wrong.append("\(state.subscriptions.count) subscriptions") }
            if state.customers.count > 1 { wrong.append("\(state.customers.count) customers") }
        }
        return wrong
    }
}
