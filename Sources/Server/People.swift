internal import Kernel
internal import Synchronization

/// Whom tokens were of a moment ago, so that not every request asks the log.
///
/// Who is erased is somebody for this moment longer.
final class People: Sendable {
    private struct Known {
        var user: UserID
        var at: Timestamp
    }

    private let known = Mutex<[String: Known]>([:])
    private let span: Duration
    /// Enough for those who are there at the same time; beyond it the memory begins anew.
    private static let most = 10_000

    init(for span: Duration) { self.span = span }

    func user(_ identity: TokenIdentity, at moment: Timestamp) -> UserID? {
        known.withLock { known in
            guard let found = known[Self.key(identity)], moment - found.at < span, moment >= found.at else {
                return nil
            }
            return found.user
        }
    }

    func remember(_ user: UserID, as identity: TokenIdentity, at moment: Timestamp) {
        known.withLock { known in
            if known.count >= Self.most { known.removeAll() }
            known[Self.key(identity)] = Known(user: user, at: moment)
        }
    }

    /// Whether somebody was there a moment ago.
    func knows(_ user: UserID, at moment: Timestamp) -> Bool {
        known.withLock { known in
            known[Self.key(user)].map { moment - $0.at < span && moment >= $0.at } ?? false
        }
    }

    func remember(_ user: UserID, at moment: Timestamp) {
        known.withLock { known in
            if known.count >= Self.most { known.removeAll() }
            known[Self.key(user)] = Known(user: user, at: moment)
        }
    }

    /// No issuer has an empty name.
    private static func key(_ user: UserID) -> String { "\0\(user)" }

    private static func key(_ identity: TokenIdentity) -> String { "\(identity.issuer)\0\(identity.subject)" }
}
