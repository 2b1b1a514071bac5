internal import Audit
internal import Glibc
internal import Kernel

/// The keys of a development machine, made once and kept in `DIR/keys`.
struct DevKeys {
    /// `1:<64 hexadecimal digits>`.
    let master: String
    let billing: String
    let traefik: String
    let provisioner: String
    let login: String
    /// `sbx_<id>_<secret>` of the user `developer`.
    let apiKey: String
    /// `sbx_<id>_<secret>` with the platform role operator.
    let operatorKey: String
    /// The file with the key that signs the log's checkpoints.
    let audit: String

    init(_ workspace: Workspace) throws {
        master = try workspace.key("master") {
            var random = SystemRandomNumberGenerator()
            return "1:" + Hex.text((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        }
        billing = try workspace.key("billing") { "vk_live_key_1_" + RandomText.make(32) }
        traefik = try workspace.key("traefik") { RandomText.make(32) }
        provisioner = try workspace.key("provisioner") { RandomText.make(32) }
        login = try workspace.key("login") { RandomText.make(32) }
        apiKey = try workspace.key("api", make: Self.makeKey)
        operatorKey = try workspace.key("operator", make: Self.makeKey)
        audit = workspace.keys + "/audit"
        if access(audit, F_OK) != 0 { _ = try KeyFile.make(audit, for: Origin(domain: "localhost").base) }
    }

    private static func makeKey() -> String {
        let id: KeyID = IDSource.system.identifier()
        return "sbx_\(id)_" + RandomText.make(40)
    }
}
