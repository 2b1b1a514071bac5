internal import Metrics

/// What the server counts, apart from what every request is counted by.
enum ServerMetrics {
    /// What somebody who is nobody came with.
    enum Credentials: String, CaseIterable {
        case none, key, token, session, other
    }

    /// What came of asking an issuer for its keys.
    enum Fetch: String, CaseIterable {
        case fetched, failed
    }

    /// What came of a browser that came back from the issuer.
    enum SignInOutcome: String, CaseIterable {
        case opened, refused, unavailable
    }

    private static let feeds = Gauge(label: "signalbox_feed_readers")
    private static let dropped = Counter(label: "signalbox_feed_dropped_total")

    static func feedReaders(_ count: Int) { feeds.record(count) }

    static func feedsDropped(_ count: Int = 1) { dropped.increment(by: count) }

    /// Who is nobody is only counted.
    static func unauthenticated(_ credentials: Credentials, count: Int = 1) {
        Counter(label: "signalbox_http_unauthenticated_total", dimensions: [("credentials", credentials.rawValue)])
            .increment(by: count)
    }

    static func refused(_ reason: TokenVerifier.Refusal, count: Int = 1) {
        Counter(label: "signalbox_token_refusals_total", dimensions: [("reason", reason.rawValue)])
            .increment(by: count)
    }

    static func signIns(_ outcome: SignInOutcome, count: Int = 1) {
        Counter(label: "signalbox_sign_ins_total", dimensions: [("outcome", outcome.rawValue)]).increment(by: count)
    }

    static func fetches(_ outcome: Fetch, count: Int = 1) {
        Counter(label: "signalbox_token_key_fetches_total", dimensions: [("outcome", outcome.rawValue)])
            .increment(by: count)
    }

    /// Has everything offered as zero before the first of it happens.
    static func begin() {
        feedReaders(0)
        feedsDropped(0)
        for credentials in Credentials.allCases { unauthenticated(credentials, count: 0) }
        for reason in TokenVerifier.Refusal.allCases { refused(reason, count: 0) }
        for outcome in Fetch.allCases { fetches(outcome, count: 0) }
        for outcome in SignInOutcome.allCases { signIns(outcome, count: 0) }
    }
}
