package import Domain
package import Kernel

/// The write model of one person who signs in.
package struct User: Decider {
    package static let stateVersion: Int16 = 1

    package enum Command: Sendable {
        case register(UserEvent.Registered)
        case updateProfile(firstName: Sealed?, lastName: Sealed?)
        case issueKey(APIKeyIssued)
        case revokeKey(KeyID)
        case erase(reason: String)
    }

    package enum Refusal: Error, Equatable, Sendable, CaseIterable {
        case alreadyRegistered
        case notRegistered
        case erased
        /// The id is that of another key.
        case keyExists
        case unknownKey
        /// A name is longer than 100 characters.
        case nameTooLong
    }

    /// Where a person is in their life with us.
    package enum Stage: String, Codable, Sendable, CaseIterable {
        case absent, registered, erased
    }

    package private(set) var stage = Stage.absent
    package private(set) var registered: UserEvent.Registered?
    private var keys = Keys<APIKeyIssued>()

    package init() {}

    package mutating func evolve(_ event: UserEvent) {
        switch event {
        case .registered(let fact): (stage, registered) = (.registered, fact)
        case .profileUpdated: break
        case .apiKeyIssued(let fact): keys.issued(fact, as: fact.key)
        case .apiKeyRevoked(let fact): keys.revoked(fact.key)
        case .erased: stage = .erased
        }
    }

    package func decide(_ command: Command) throws(Refusal) -> [UserEvent] {
        switch (command, stage) {
        case (.register(let fact), .absent): return [.registered(fact)]
        case (.register(let fact), .registered) where fact.subjectHash == registered?.subjectHash: return []
        case (.register, _): throw .alreadyRegistered
        case (_, .absent): throw .notRegistered
        case (.revokeKey(let key), _): return try revoke(key)
        case (.erase, .erased): return []
        case (_, .erased): throw .erased
        case (.erase(let reason), .registered):
            // Nobody may go on acting as somebody who is gone.
            return keys.allGood.map { .apiKeyRevoked(.init(key: $0)) } + [.erased(.init(reason: reason))]
        case (.updateProfile(nil, nil), .registered): return []
        case (.updateProfile(let first, let last), .registered):
            return [.profileUpdated(.init(firstName: first, lastName: last))]
        case (.issueKey(let fact), .registered): return try issue(fact)
        }
    }
}

extension User {
    private func issue(_ fact: APIKeyIssued) throws(Refusal) -> [UserEvent] {
        switch keys.state(of: fact.key) {
        case .none: return [.apiKeyIssued(fact)]
        case .good(fact): return []
        case .good, .revoked: throw .keyExists
        }
    }

    private func revoke(_ key: KeyID) throws(Refusal) -> [UserEvent] {
        switch keys.state(of: key) {
        case .none: throw .unknownKey
        case .good: return [.apiKeyRevoked(.init(key: key))]
        case .revoked: return []
        }
    }
}
