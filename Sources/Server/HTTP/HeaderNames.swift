package import HTTPTypes

/// The header fields that HTTPTypes has no name for.
extension HTTPField.Name {
    /// The log position that the answer reflects.
    package static let logPosition = token("X-Log-Position")
    package static let requestID = token("X-Request-ID")
    /// draft-ietf-httpapi-idempotency-key-header.
    package static let idempotencyKey = token("Idempotency-Key")
    /// RFC 7240.
    package static let prefer = token("Prefer")
    package static let preferenceApplied = token("Preference-Applied")
    /// RFC 8288.
    package static let link = token("Link")
    /// W3C Trace Context.
    package static let traceparent = token("traceparent")
    /// WHATWG HTML, server-sent events.
    package static let lastEventID = token("Last-Event-ID")
    /// draft-ietf-httpapi-ratelimit-headers.
    package static let rateLimit = token("RateLimit")
    package static let rateLimitPolicy = token("RateLimit-Policy")
    /// What operators' scripts sent to the control plane before this one.
    package static let adminToken = token("X-Admin-Token")
    package static let frameOptions = token("X-Frame-Options")
    package static let referrerPolicy = token("Referrer-Policy")
    package static let resourcePolicy = token("Cross-Origin-Resource-Policy")

    /// W3C Fetch Metadata: what the page that sends a request is to us; scripts cannot set it.
    package static let fetchSite = token("Sec-Fetch-Site")
    /// Proves that whoever sends a session's request could read our answers.
    package static let forgeryToken = token("X-CSRF-Token")

    private static func token(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else {
            // Only the literals above come here, and each is a token of RFC 9110.
            preconditionFailure("not a field name: \(name)")
        }
        return name
    }
}
