package import Domain
package import EventStore
package import Kernel

/// Where commands are given: checks who may, decides, and writes, each command at most once.
///
/// Every answer is remembered with its command, so that the same command again is answered the same.
package struct CommandDesk: Sendable {
    let handler: CommandHandler
    let claims: any ClaimDirectory
    let vault: Vault
    let settings: Settings

    /// What the desk needs to know about the plane.
    package struct Settings: Sendable {
        /// Everything that is for sale.
        package var catalogue: Catalogue
        /// The application that instances run, such as `railzway`; its releases are in `release-{application}`.
        package var application: String
        /// The host name of an instance, by the organization's slug and the instance's name.
        package var host: @Sendable (_ slug: String, _ instance: String) -> String
        /// Whether webhooks may be called without TLS, which is for one machine alone.
        package var allowsPlainWebhooks: Bool

        package init(
            catalogue: Catalogue,
            application: String = "railzway",
            allowsPlainWebhooks: Bool = false,
            host: @escaping @Sendable (_ slug: String, _ instance: String) -> String
        ) {
            self.catalogue = catalogue
            self.application = application
            self.allowsPlainWebhooks = allowsPlainWebhooks
            self.host = host
        }
    }

    package init(
        log: any EventLog,
        claims: any ClaimDirectory,
        vault: Vault,
        settings: Settings,
        ids: IDSource = .system,
        snapshots: SnapshotKeeper? = nil
    ) {
        self.handler = CommandHandler(log: log, ids: ids, snapshots: snapshots)
        self.claims = claims
        self.vault = vault
        self.settings = settings
    }
}
