/// What the log is called in its checkpoints and keys: `{domain}/log`, and `{domain}/log/epoch-{n}` after an incident.
package struct Origin: Sendable, Equatable {
    /// The name in the first epoch.
    package let base: String

    /// Of the log of a deployment.
    ///
    /// - Parameter domain: Its root domain.
    package init(domain: String) {
        base = domain + "/log"
    }

    /// Of the log that has this name in some epoch.
    package init(named name: String) {
        let parts = name.split(separator: "/epoch-", maxSplits: 1, omittingEmptySubsequences: false)
        base = String(parts[0])
    }

    /// The name in an epoch, from 1.
    package func name(epoch: Int) -> String {
        epoch <= 1 ? base : "\(base)/epoch-\(epoch)"
    }

    /// Which epoch a name is of; `nil` for a name of another log.
    package func epoch(of name: String) -> Int? {
        guard name != base else { return 1 }
        let prefix = base + "/epoch-"
        guard name.hasPrefix(prefix), let epoch = Int(name.dropFirst(prefix.count)), self.name(epoch: epoch) == name
        else { return nil }
        return epoch
    }
}
