internal import Commands
internal import HTTPTypes
internal import Kernel
internal import Synchronization

/// With which credentials somebody was found good a moment ago, so that those who came with the same ones are not looked up one
/// by one.
final class Vigil: Sendable {
    private let good = Mutex<[String: Timestamp]>([:])
    /// Beyond it the memory begins anew.
    private static let most = 10_000

    func wasGood(_ credentials: String, at moment: Timestamp, within span: Duration) -> Bool {
        good.withLock { good in good[credentials].map { moment - $0 < span && moment >= $0 } ?? false }
    }

    func note(_ credentials: String, at moment: Timestamp) {
        good.withLock { good in
            if good.count >= Self.most { good.removeAll() }
            good[credentials] = moment
        }
    }
}

extension API {
    /// Ends a feed whose reader would not be let in any more: looks at it every so often.
    ///
    /// - Parameters:
    ///   - call: What the feed was opened with.
    ///   - checked: When the reader was looked at last.
    /// - Throws: 401 when the key was revoked, the token or the session is over, or the person is gone.
    func confirm(_ call: Call, since checked: inout Timestamp) async throws(Problem) {
        let moment = ids.now()
        guard moment - checked >= settings.feedCheck else { return }
        checked = moment
        let credential = Gate.bearer(call.headers)
        let name = APIKey.hash(of: credential ?? call.session?.token ?? "")
        if vigil.wasGood(name, at: moment, within: settings.feedCheck) { return }
        var found: Principal?
        do {
            if let credential {
                found = try await authenticate(credential)
            } else if let session = call.session, let gate = sessionGate {
                found = try await gate.visitor(session.token)?.principal
            }
        } catch {
            // It cannot be said now: next time.
            if error.status == .serviceUnavailable { return }
            throw error
        }
        guard let found, found == call.principal else { throw .unauthenticated }
        vigil.note(name, at: moment)
    }
}
