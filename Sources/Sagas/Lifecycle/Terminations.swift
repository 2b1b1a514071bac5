internal import Commands
internal import Domain
internal import Kernel
internal import Platform

extension Records {
    /// Waits for instances to be terminated; the end of each child wakes whoever waits.
    ///
    /// - Parameter instances: Those whose termination was asked for.
    /// - Returns: Done, or what is waited for.
    /// - Throws: `blocked` when one could not be terminated, so that a person decides.
    func ends(of instances: [InstanceID]) async throws(PortError) -> StepResult {
        var open = 0
        for id in instances {
            switch try await instance(id).stage {
            case .terminated: break
            case .terminating: open += 1
            default:
                throw .blocked(
                    code: "not-terminated",
                    message: "instance \(id) could not be terminated; terminate it, then resume"
                )
            }
        }
        guard open > 0 else { return .done }
        return .waiting(
            condition: "Terminated",
            reason: "\(open) of \(instances.count) instances are being terminated"
        )
    }
}

extension StepPolicy {
    /// Of a step that waits for child sagas: their ends wake it, so looking by itself is only for safety.
    static let children = StepPolicy(target: "log", poll: .seconds(1), longestPoll: .seconds(60))
}
