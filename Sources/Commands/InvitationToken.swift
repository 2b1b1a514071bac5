internal import Crypto
package import Kernel

/// What an invited person holds: names the organization and the invitation, and proves that it was given to them.
package struct InvitationToken: Sendable, Equatable {
    package let organization: OrganizationID
    package let invitation: UniqueID
    /// 64 hexadecimal digits: 256 bits.
    private let secret: String

    /// Makes a new one.
    package init(organization: OrganizationID, ids: IDSource) {
        self.organization = organization
        self.invitation = ids.unique()
        self.secret = (0..<4).reduce(into: "") { text, _ in text += Hex.text(ids.random().bigEndianBytes) }
    }

    /// Reads `sbi_<organization>_<invitation>_<secret>`; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "_", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "sbi", let organization = OrganizationID(parts[1]),
            let invitation = UniqueID(parts[2]), (32...200).contains(parts[3].utf8.count)
        else { return nil }
        (self.organization, self.invitation, secret) = (organization, invitation, String(parts[3]))
    }

    /// `sbi_<organization>_<invitation>_<secret>`.
    package var text: String { "sbi_\(organization)_\(invitation)_\(secret)" }

    /// Hex SHA-256 of the secret: what the log keeps.
    package var hash: String { Hex.text(SHA256.hash(data: Array(secret.utf8))) }
}

/// What the log remembers of the command that made an invitation: its token is sealed, so the table lets nobody in.
struct SealedInvitation: Codable, Sendable {
    var invitation: UniqueID
    var sealed: [UInt8]
    var expiresAt: Timestamp

    init(_ token: InvitationToken, expiresAt: Timestamp, keys: MasterKeys) throws(CommandError) {
        (invitation, self.expiresAt) = (token.invitation, expiresAt)
        do {
            sealed = try keys.seal(Array(token.text.utf8), as: Self.context(token.invitation))
        } catch {
            throw .broken("an invitation cannot be sealed: \(error)")
        }
    }

    func shown(keys: MasterKeys) throws(CommandError) -> InvitationShown {
        do {
            let text = String(decoding: try keys.open(sealed, as: Self.context(invitation)), as: UTF8.self)
            return InvitationShown(invitation: invitation, token: text, expiresAt: expiresAt)
        } catch {
            throw .broken("the invitation of an earlier command cannot be opened: \(error)")
        }
    }

    private static func context(_ invitation: UniqueID) -> String { "invitation \(invitation)" }
}
