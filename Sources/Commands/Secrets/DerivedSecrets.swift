package import Domain
package import Kernel

/// The secrets of tenants that are never stored, because they can be made again at any time from a master key.
///
/// HKDF-SHA256 with purpose, organization, instance, generation and rotation as info: what two of them share tells
/// nothing about either. Rotating one is raising a number in an event.
package struct DerivedSecrets: Sendable {
    /// What a secret is for.
    ///
    /// Add to the list; never rename: the raw values are part of every derived secret.
    package enum Purpose: String, Sendable, CaseIterable {
        /// Login role of the tenant's database.
        case databasePassword = "database-password"
        /// Signs the tenant's own session tokens.
        case jwtSecret = "jwt-secret"
        /// AES-256 key under which the tenant keeps its payment providers' settings.
        case paymentProviderSecret = "payment-provider-secret"
    }

    private let keys: MasterKeys

    package init(keys: MasterKeys) {
        self.keys = keys
    }

    /// The version that new credentials are reserved with.
    package var currentKeyVersion: Int { keys.current }

    /// 64 lower-case hexadecimal digits that stand for 32 bytes.
    ///
    /// Key, generation and rotation are those of the instance's own event.
    ///
    /// - Throws: ``MasterKeys/Problem/unknownVersion(_:)`` when that key is not there any more.
    package func secret(
        _ purpose: Purpose,
        organization: OrganizationID,
        instance: InstanceID,
        credentials: InstanceEvent.CredentialsReserved
    ) throws(MasterKeys.Problem) -> String {
        let info = [
            "signalbox secret v1", purpose.rawValue, organization.description, instance.description,
            String(credentials.generation), String(credentials.rotation),
        ].joined(separator: "\0")
        return Hex.text(try keys.derive(version: credentials.keyVersion, info: Array(info.utf8), bytes: 32))
    }
}
