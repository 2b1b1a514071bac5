internal import Commands
internal import HTTPTypes
package import Hummingbird
package import Kernel
package import Logging
internal import NIOCore

/// What Hummingbird makes for each request; everything of ours is in ``Call``.
package struct ConnectionContext: InitializableFromSource, Sendable {
    package let logger: Logger

    package init(source: ApplicationRequestContextSource) {
        self.logger = source.logger
    }
}

/// From a request to an answer: finds the route, checks who asks and what, and turns every error into a problem.
package struct Dispatcher: HTTPResponder {
    private let table: RouteTable
    private let gate: Gate
    private let settings: APISettings
    private let ids: IDSource
    private let limiter: RateLimiter?
    private let refused: @Sendable (RefusalDoor.Entry) -> Void
    private let served: @Sendable (ServedRequest) -> Void

    /// - Parameters:
    ///   - table: What is served.
    ///   - gate: Who may come in.
    ///   - settings: What is allowed.
    ///   - ids: Time and chance.
    ///   - refused: Told of every change that was refused to somebody who is known.
    ///   - served: Told of every answer.
    package init(
        table: RouteTable,
        gate: Gate,
        settings: APISettings,
        ids: IDSource,
        refused: @escaping @Sendable (RefusalDoor.Entry) -> Void = { _ in },
        served: @escaping @Sendable (ServedRequest) -> Void = { _ in }
    ) {
        self.table = table
        self.gate = gate
        self.settings = settings
        self.ids = ids
        self.limiter = settings.limits.map { RateLimiter($0) }
        self.refused = refused
        self.served = served
    }

    /// What became known of a request on its way.
    private struct Passage {
        var route: Route?
        var parameters: [String: String] = [:]
        var principal: Principal?
        var share: RateLimiter.Share?
        /// What a metric says instead of the route.
        var label: String { route?.path ?? (isFile ? "files" : Dispatcher.unmatched) }
        /// Whether the answer is a file of the web page.
        var isFile = false
    }

    package func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        try await answer(to: request, logger: context.logger).response(headOnly: request.method == .head)
    }

    /// What is answered, before any of it is written.
    ///
    /// - Throws: What Hummingbird throws when the connection breaks while the body is read.
    func answer(to request: Request, logger: Logger) async throws -> Answer {
        let start = ContinuousClock.now
        HTTPMeters.begin()
        defer { HTTPMeters.end() }
        let trace = TraceContext(continuing: request.headers[.traceparent], ids: ids, ratio: settings.traceRatio)
        let began = ids.now()
        let requestID = Self.requestID(request.headers) ?? ids.unique().description
        var logger = logger
        logger[metadataKey: "request"] = .string(requestID)
        logger[metadataKey: "trace"] = .string(trace.trace)

        var passage = Passage()
        var answer: Answer
        var slug: String?
        do {
            answer = try await serve(request, requestID: requestID, trace: trace, logger: logger, passage: &passage)
        } catch var problem as Problem {
            Self.log(problem, route: passage.label, to: logger)
            if passage.route?.isOlder == true { problem.members["error"] = .string(problem.sentence) }
            remember(problem, passage, requestID: requestID)
            slug = problem.slug
            answer = .problem(problem, request: requestID)
        }
        if let share = passage.share { answer.headers.append(contentsOf: share.headers) }
        answer.headers[.requestID] = requestID
        answer.headers[.traceparent] = trace.header
        decorate(&answer.headers, origin: request.headers[.origin])
        answer.pack(for: request.method, request.headers)
        // A method that no route has is a text of the caller's own, which must not become a label.
        let method = passage.route == nil ? "other" : request.method.rawValue
        let took = ContinuousClock.now - start
        HTTPMeters.count(method, passage.label, answer.status, took: took)
        served(
            ServedRequest(
                id: requestID,
                trace: trace,
                method: method,
                route: passage.route?.path,
                status: answer.status.code,
                problem: slug,
                start: began,
                took: took
            )
        )
        return answer
    }

    /// - Throws: `Problem`, or what Hummingbird throws when the connection breaks while the body is read.
    private func serve(
        _ request: Request,
        requestID: String,
        trace: TraceContext,
        logger: Logger,
        passage: inout Passage
    ) async throws -> Answer {
        let target = (request.head.path ?? "/").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = target.first.map(String.init) ?? "/"
        let route: Route
        let parameters: [String: String]
        switch table.match(request.method, path: path) {
        case .found(let found, let values): (route, parameters) = (found, values)
        case .otherMethods(let methods) where request.method == .options: return options(request, methods)
        case .otherMethods(let methods): throw Problem.methodNotAllowed(allow: methods)
        case .nothing:
            let looks = [.get, .head].contains(request.method)
            guard looks, let file = settings.files?.answer(path, Gzip.untagged(request.headers)) else {
                throw Problem.routeUnknown
            }
            passage.isFile = true
            return file
        }
        passage.route = route
        passage.parameters = parameters

        let visitor = try await gate.identify(Self.credentials(request.headers, for: route), for: route.access)
        passage.principal = visitor?.principal
        if let visitor {
            // First what it costs: who is refused pays as well.
            try take(visitor.principal, request.method, &passage)
            try gate.check(visitor, request.method, request.headers, for: route.access)
        }
        try route.check(places: parameters)
        let query = try Query(target.count > 1 ? target[1] : "")
        if route.isOlder, let id = query["org_id"] { passage.parameters["organization"] = id }
        try route.check(query)
        let call = Call(
            method: request.method,
            route: route.path,
            path: path,
            parameters: parameters,
            query: query,
            headers: Gzip.untagged(request.headers),
            body: route.body == nil ? [] : try await body(of: request),
            principal: visitor?.principal,
            session: visitor?.session,
            requestID: requestID,
            trace: trace,
            logger: logger
        )
        return try await route.handler(call)
    }

    private func body(of request: Request) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > settings.bodyLimit {
            throw Problem.bodyTooLarge(limit: settings.bodyLimit)
        }
        do {
            return Array(buffer: try await request.body.collect(upTo: settings.bodyLimit))
        } catch is NIOTooManyBytesError {
            throw Problem.bodyTooLarge(limit: settings.bodyLimit)
        }
    }

    /// Takes a request from what its principal may send.
    private func take(
        _ principal: Principal,
        _ method: HTTPRequest.Method,
        _ passage: inout Passage
    ) throws(Problem) {
        guard let share = limiter?.take(principal.actor, .init(method), at: ids.now()) else { return }
        passage.share = share
        if share.isRefused { throw .quotaExceeded(share) }
    }

    /// Tells of a change that was refused; who is nobody is only counted.
    private func remember(_ problem: Problem, _ passage: Passage, requestID: String) {
        guard let route = passage.route, let principal = passage.principal, route.method != .get,
            (400..<500).contains(problem.status.code)
        else { return }
        var organization = passage.parameters["organization"].flatMap { OrganizationID($0) }
        if organization == nil, case .organizationKey(_, let own, _) = principal.kind { organization = own }
        refused(
            .init(
                at: ids.now(),
                principal: principal.actor,
                organizationID: organization?.description,
                action: route.name,
                problem: problem.slug,
                requestID: requestID
            )
        )
    }

    private static let unmatched = "unmatched"

    /// The header fields with who asks in the one where it is looked for.
    private static func credentials(_ headers: HTTPFields, for route: Route) -> HTTPFields {
        guard route.isOlder, headers[.authorization] == nil, let token = headers[.adminToken] else { return headers }
        var headers = headers
        headers[.authorization] = "Bearer \(token)"
        return headers
    }

    /// The caller's own id of the request when it can be repeated in headers and log lines as it is.
    private static func requestID(_ headers: HTTPFields) -> String? {
        guard let id = headers[.requestID], (1...128).contains(id.utf8.count),
            id.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != 0x22 && $0 != 0x5C })
        else { return nil }
        return id
    }

    private static func log(_ problem: Problem, route: String, to logger: Logger) {
        let level: Logger.Level = problem.status.code >= 500 && problem.slug != "behind" ? .error : .debug
        var metadata: Logger.Metadata = ["problem": .string(problem.slug), "route": .string(route)]
        if let cause = problem.cause { metadata["error"] = .string(String(reflecting: cause)) }
        logger.log(level: level, "A request was not answered as asked", metadata: metadata)
    }
}

extension Dispatcher {
    /// What OPTIONS answers, also to a browser that asks before it sends.
    private func options(_ request: Request, _ methods: [HTTPRequest.Method]) -> Answer {
        let allow = methods.map(\.rawValue).sorted().joined(separator: ", ")
        var answer = Answer(.noContent, headers: [.allow: allow])
        if let origin = request.headers[.origin], settings.allowedOrigins.contains(origin) {
            answer.headers[.accessControlAllowMethods] = allow
            answer.headers[.accessControlAllowHeaders] =
                "Authorization, Content-Type, Idempotency-Key, If-Match, Last-Event-ID, Prefer, X-Request-ID, traceparent"
            answer.headers[.accessControlMaxAge] = "600"
        }
        return answer
    }

    /// The header fields that every answer has.
    private func decorate(_ headers: inout HTTPFields, origin: String?) {
        headers[.xContentTypeOptions] = "nosniff"
        headers[.frameOptions] = "DENY"
        headers[.referrerPolicy] = "no-referrer"
        headers[.resourcePolicy] = "same-origin"
        if headers[.contentSecurityPolicy] == nil {
            headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        }
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        if settings.secure { headers[.strictTransportSecurity] = "max-age=31536000; includeSubDomains" }
        guard !settings.allowedOrigins.isEmpty else { return }
        headers[.vary] = "Origin"
        guard let origin, settings.allowedOrigins.contains(origin) else { return }
        headers[.accessControlAllowOrigin] = origin
        headers[.resourcePolicy] = "cross-origin"
        headers[.accessControlExposeHeaders] =
            "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Log-Position, X-Request-ID"
    }
}
