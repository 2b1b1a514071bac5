/// An organization's name in URLs and host names: one DNS label that can be anybody's.
package struct Slug: Hashable, Sendable, CustomStringConvertible {
    /// Why a text cannot be a slug.
    package enum Refusal: Error, Equatable, Sendable, CaseIterable {
        /// Not `^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`.
        case malformed
        /// Kept for the plane itself, or of a form that further instances' hosts have.
        case reserved
    }

    package let text: String

    /// - Throws: ``Refusal``.
    package init(_ text: String) throws(Refusal) {
        guard Self.isLabel(text) else { throw .malformed }
        // `{instance}--{slug}` is the host of a further instance, and `xn--` begins an encoded name (RFC 5890).
        guard !text.contains("--"), !Self.reserved.contains(text) else { throw .reserved }
        self.text = text
    }

    package var description: String { text }

    private static func isLabel(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let dash = UInt8(ascii: "-")
        return (1...63).contains(bytes.count) && bytes.first != dash && bytes.last != dash
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), dash: true
                default: false
                }
            }
    }

    /// Hosts that belong to the plane, or that customers would take for it (RFC 2142 has the mailbox names).
    package static let reserved: Set<String> = [
        "abuse", "accounts", "admin", "api", "app", "assets", "auth", "billing", "blog", "cdn", "cloud", "console",
        "consul", "dashboard", "db", "dev", "dns", "docs", "ftp", "git", "grafana", "health", "help", "hostmaster",
        "id", "imap", "internal", "localhost", "login", "logout", "mail", "metrics", "mta", "nomad", "ns", "ns1",
        "ns2", "oauth", "operator", "ops", "pop", "postgres", "postmaster", "prometheus", "railzway", "registry",
        "root", "security", "signalbox", "signin", "signup", "smtp", "sso", "staging", "static", "status", "support",
        "system", "traefik", "vault", "webhook", "webhooks", "webmaster", "well-known", "www",
    ]
}

/// The name of an instance within its organization: `^[a-z][a-z0-9]{0,15}$`.
package struct InstanceName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Takes a name that is well formed; `nil` otherwise.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard (1...16).contains(bytes.count), let first = bytes.first, letters.contains(first),
            bytes.allSatisfy({ letters.contains($0) || digits.contains($0) }), !Self.isSuffix(text)
        else { return nil }
        self.text = text
    }

    /// `b`, `read`, `g2` and `r2` end the outside names of a slot, a router for reads, a generation and a rotation; an
    /// instance called so would share them.
    private static func isSuffix(_ text: String) -> Bool {
        guard text != "b", text != "read" else { return true }
        let rest = text.dropFirst()
        return "gr".contains(text.prefix(1)) && !rest.isEmpty && rest.allSatisfy(\.isNumber)
    }

    package var description: String { text }

    /// The name of an organization's first instance.
    package static let main = "main"
}

/// What an organization calls itself: 1 to 100 characters without control characters, and no space at either end.
package enum OrganizationName {
    /// Whether a text can be the name of an organization.
    package static func accepts(_ text: String) -> Bool {
        (1...100).contains(text.count) && text.utf8.count <= 400 && text.first != " " && text.last != " "
            && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}
