internal import Crypto
package import Kernel

/// Where it is kept which browsers are signed in.
package struct SessionDoor: Sendable {
    /// A session as it is kept: of its token and of its login only the hashes.
    package struct Entry: Sendable, Equatable {
        /// Hex SHA-256 of the token.
        package var token: String
        /// Hex SHA-256 of the state of the login that it came from.
        package var login: String
        package var user: UserID
        package var startedAt: Timestamp
        package var endsAt: Timestamp

        package init(token: String, login: String, user: UserID, startedAt: Timestamp, endsAt: Timestamp) {
            (self.token, self.login, self.user) = (token, login, user)
            (self.startedAt, self.endsAt) = (startedAt, endsAt)
        }
    }

    /// What came of keeping a new one.
    package enum Opened: Sendable {
        case opened
        /// A session was opened from this login before.
        case loginUsed
        case unavailable
    }

    /// What is known of one.
    package enum Found: Sendable {
        case found(Entry)
        /// There is none, it was ended, it is over, or it was not used for too long.
        case nothing
        case unavailable
    }

    package var open: @Sendable (Entry) async -> Opened = { _ in .unavailable }
    /// The hash of the token and the time; also takes note that the session is used.
    package var find: @Sendable (String, Timestamp) async -> Found = { _, _ in .unavailable }
    /// The hash of the token and the time; `false` when it could not be written down.
    package var end: @Sendable (String, Timestamp) async -> Bool = { _, _ in false }

    package init() {}
}

/// A browser that is signed in, as a request shows it.
struct BrowserSession: Sendable {
    /// What the cookie has; never logged.
    let token: String
    let endsAt: Timestamp

    /// Whoever can read our answers knows it; who only has a browser send something does not.
    var forgeryToken: String {
        let key = SymmetricKey(data: Array(token.utf8))
        return Base64URL.encode(HMAC<SHA256>.authenticationCode(for: Array("csrf".utf8), using: key))
    }
}
