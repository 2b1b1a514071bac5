package import Commands
package import Kernel
package import Platform

/// What makes the personal data of a subject unreadable, for ever.
package protocol PersonalData: Sendable {
    /// Erases it; fine when it was erased before, or when there never was any.
    func erase(subject: String, reason: String) async throws(PortError)
}

/// Erasures as the desk orders them.
package struct OrderedErasures: PersonalData {
    private let erasures: Erasures
    private let ids: IDSource

    package init(_ erasures: Erasures, ids: IDSource = .system) {
        self.erasures = erasures
        self.ids = ids
    }

    package func erase(subject: String, reason: String) async throws(PortError) {
        let principal = Principal(.saga(DeleteOrganization.kind))
        do throws(CommandError) {
            _ = try await erasures.erase(subject: subject, reason: reason, by: .own(principal, ids: ids))
        } catch {
            switch error {
            case .erasure(.unknownSubject): return
            case .unavailable: throw .transient(code: "log-unavailable", message: "the log does not answer")
            default: throw .blocked(code: "not-erased", message: "the erasure was refused")
            }
        }
    }
}
