internal import Commands

extension Principal {
    /// Whether the key or session was given this scope.
    func may(_ scope: Access.Scope) -> Bool { has(scope: scope.rawValue) }

    /// Whether it belongs to the people who run the plane, or audit it.
    var isPlatform: Bool {
        switch kind {
        case .operator, .platformAuditor: true
        case .user, .organizationKey, .saga, .system: false
        }
    }

    var isOperator: Bool {
        guard case .operator = kind else { return false }
        return true
    }
}
