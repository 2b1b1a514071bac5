/// The system user a child process drops to.
package struct Account: Sendable, Equatable {
    package var user: UInt32
    package var group: UInt32

    package init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }
}

extension Account? {
    /// The command as it is run for this account: `setpriv` drops everything and becomes the command itself.
    ///
    /// Dropping in a forked child of ours instead can hang it for ever: glibc's `setgroups` waits there for a thread of
    /// the parent that was just being made and does not exist in the child.
    package func running(_ command: [String]) -> [String] {
        guard let self else { return command }
        return ["/usr/bin/setpriv", "--reuid=\(self.user)", "--regid=\(self.group)", "--clear-groups", "--"] + command
    }
}
