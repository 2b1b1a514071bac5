package import HTTPTypes
internal import Kernel

/// The problems that any route can have.
extension Problem {
    package static let routeUnknown = Problem("route-unknown", status: .notFound, title: "There is no such route")

    /// Also the answer for what belongs to somebody else: that it exists is not told.
    package static let notFound = Problem("not-found", status: .notFound, title: "There is no such resource")

    package static func methodNotAllowed(allow: [HTTPRequest.Method]) -> Problem {
        let methods = allow.map(\.rawValue).sorted().joined(separator: ", ")
        return Problem(
            "method-not-allowed",
            status: .methodNotAllowed,
            title: "The route does not take this method",
            detail: "It takes \(methods).",
            headers: [.allow: methods]
        )
    }

    package static func malformedJSON(_ detail: String) -> Problem {
        Problem("malformed-json", status: .badRequest, title: "The body is not JSON", detail: detail)
    }

    package static func badRequest(_ detail: String) -> Problem {
        Problem("bad-request", status: .badRequest, title: "The request is malformed", detail: detail)
    }

    package static func badHeader(_ name: HTTPField.Name, _ detail: String) -> Problem {
        Problem(
            "bad-header",
            status: .badRequest,
            title: "A header is malformed",
            detail: "\(name.canonicalName): \(detail)"
        )
    }

    package static let badCursor = Problem(
        "bad-cursor",
        status: .badRequest,
        title: "The cursor does not belong to this list",
        detail: "Begin again without `after`."
    )

    /// The reader comes back with a token of another history: the log was restored meanwhile.
    package static let historyForked = Problem(
        "history-forked",
        status: .conflict,
        title: "The log has another history than the one you know",
        detail: "It was restored to an earlier state meanwhile. Begin again, and drop what you took from it since."
    )

    /// What was asked for has not happened: the text says how far it is.
    package static func notYet(_ detail: String) -> Problem {
        Problem("not-yet", status: .notFound, title: "It has not got so far", detail: detail)
    }

    package static func invalid(_ faults: [Fault]) -> Problem {
        Problem("invalid", status: .unprocessableContent, title: "The input is not valid", faults: faults)
    }

    package static func bodyTooLarge(limit: Int) -> Problem {
        Problem(
            "body-too-large",
            status: .contentTooLarge,
            title: "The body is too large",
            detail: "At most \(limit) bytes are taken."
        )
    }

    /// The principal has sent all it may for now.
    static func quotaExceeded(_ share: RateLimiter.Share) -> Problem {
        var problem = Problem(
            "quota-exceeded",
            status: .tooManyRequests,
            title: "Too many requests",
            detail: "Up to \(share.quota) \(share.policy.rawValue) a minute are taken. Nothing was changed.",
            members: ["violated-policies": .array([.string(share.policy.rawValue)])],
            headers: [.retryAfter: String(share.seconds)]
        )
        problem.registeredType = "https://iana.org/assignments/http-problem-types#quota-exceeded"
        return problem
    }

    package static let notJSON = Problem(
        "unsupported-media-type",
        status: .unsupportedMediaType,
        title: "The body has the wrong media type",
        detail: "Send application/json."
    )

    package static let unauthenticated = Problem(
        "unauthenticated",
        status: .unauthorized,
        title: "The request carries no valid credentials",
        detail: "Send `Authorization: Bearer` with an API key or a token.",
        headers: [.wwwAuthenticate: "Bearer realm=\"signalbox\""]
    )

    /// There were credentials, and they are not good; why is told to nobody.
    package static let badCredentials: Problem = {
        var problem = unauthenticated
        problem.headers[.wwwAuthenticate] = "Bearer realm=\"signalbox\", error=\"invalid_token\""
        return problem
    }()

    package static let forbidden = Problem(
        "forbidden",
        status: .forbidden,
        title: "The credentials do not allow this"
    )

    /// A browser's session is shown, and nothing says that a page of ours is behind it.
    package static let crossSite = Problem(
        "cross-site",
        status: .forbidden,
        title: "The request may be somebody else's",
        detail: "With a session, send the `csrfToken` of /auth/session as X-CSRF-Token, from a page of our own origin."
    )

    package static let signInOff = Problem(
        "sign-in-off",
        status: .notFound,
        title: "Browsers cannot sign in here",
        detail: "Send an API key or a token instead."
    )

    /// Why is told to nobody.
    package static let signInFailed = Problem(
        "sign-in-failed",
        status: .badRequest,
        title: "Signing in did not work",
        detail: "Begin again at /auth/login."
    )

    package static let preconditionRequired = Problem(
        "precondition-required",
        status: .preconditionRequired,
        title: "The request must say which version it changes",
        detail: "Send If-Match with the ETag of the last answer."
    )

    /// Says which version the resource has now, when that is known.
    package static func preconditionFailed(version: Int64?) -> Problem {
        Problem(
            "precondition-failed",
            status: .preconditionFailed,
            title: "The resource has changed in the meantime",
            headers: version.map { [.eTag: "\"\($0)\""] } ?? [:]
        )
    }

    package static let keyReused = Problem(
        "idempotency-key-reused",
        status: .unprocessableContent,
        title: "The idempotency key was used with another request"
    )

    package static let keyInUse = Problem(
        "idempotency-key-in-use",
        status: .conflict,
        title: "A request with this idempotency key is still being handled"
    )

    /// Another try may help after so many seconds.
    package static func unavailable(retryAfter seconds: Int = 1, cause: (any Error)? = nil) -> Problem {
        Problem(
            "unavailable",
            status: .serviceUnavailable,
            title: "The service cannot answer now",
            detail: "Nothing was changed. Try again.",
            headers: [.retryAfter: String(seconds)],
            cause: cause
        )
    }

    /// The read models are at `position`, and the reader wanted them to be at `wanted`.
    package static func behind(at position: Int64, wanted: Int64) -> Problem {
        Problem(
            "behind",
            status: .serviceUnavailable,
            title: "The answer does not reflect that position yet",
            members: ["position": .integer(position), "minPosition": .integer(wanted)],
            headers: [.retryAfter: "1", .logPosition: String(position)]
        )
    }

    package static func internalError(_ cause: any Error) -> Problem {
        Problem(
            "internal",
            status: .internalServerError,
            title: "Something went wrong on our side",
            cause: cause
        )
    }
}
