package import Domain
package import Kernel

/// The write model of the keys of those who run the plane.
package struct PlatformKeys: Decider {
    package static let stateVersion: Int16 = 1

    package enum Command: Sendable {
        case issue(PlatformEvent.KeyIssued)
        case revoke(KeyID)
    }

    package enum Refusal: Error, Equatable, Sendable, CaseIterable {
        case unknownKey
        /// The id is that of another key.
        case keyExists
    }

    private var keys = Keys<PlatformEvent.KeyIssued>()

    package init() {}

    package mutating func evolve(_ event: PlatformEvent) {
        switch event {
        case .apiKeyIssued(let fact): keys.issued(fact, as: fact.key)
        case .apiKeyRevoked(let fact): keys.revoked(fact.key)
        case .auditEpochStarted, .targetOpened, .targetClosed, .projectionOperated: break
        }
    }

    package func decide(_ command: Command) throws(Refusal) -> [PlatformEvent] {
        switch command {
        case .issue(let fact):
            switch keys.state(of: fact.key) {
            case .none: return [.apiKeyIssued(fact)]
            case .good(fact): return []
            case .good, .revoked: throw .keyExists
            }
        case .revoke(let key):
            switch keys.state(of: key) {
            case .none: throw .unknownKey
            case .good: return [.apiKeyRevoked(.init(key: key))]
            case .revoked: return []
            }
        }
    }
}
