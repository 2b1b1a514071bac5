package import Commands
package import HTTPTypes
package import Kernel
package import Logging

/// One request as a route sees it: matched, authenticated, its body read.
package struct Call: Sendable {
    package var method: HTTPRequest.Method
    /// The route's path with its parameters in braces.
    package var route: String
    package var path: String
    package var parameters: [String: String]
    package var query: Query
    package var headers: HTTPFields
    package var body: [UInt8]
    /// Nobody on open routes.
    package var principal: Principal?
    /// How the caller is known, when it is a browser that is signed in.
    var session: BrowserSession?
    /// The caller's X-Request-ID, or ours.
    package var requestID: String
    package var trace: TraceContext
    package var logger: Logger

    init(
        method: HTTPRequest.Method,
        route: String,
        path: String,
        parameters: [String: String],
        query: Query,
        headers: HTTPFields,
        body: [UInt8],
        principal: Principal?,
        session: BrowserSession? = nil,
        requestID: String,
        trace: TraceContext,
        logger: Logger
    ) {
        self.method = method
        self.route = route
        self.path = path
        self.parameters = parameters
        self.query = query
        self.headers = headers
        self.body = body
        self.principal = principal
        self.session = session
        self.requestID = requestID
        self.trace = trace
        self.logger = logger
    }

    /// Who calls.
    package var caller: Principal {
        get throws(Problem) {
            guard let principal else { throw .unauthenticated }
            return principal
        }
    }

    /// A path parameter that is an id; one that cannot be an id names nothing.
    package func id<Subject>(_ name: String) throws(Problem) -> Identifier<Subject> {
        guard let id = parameters[name].flatMap({ Identifier<Subject>($0) }) else { throw .notFound }
        return id
    }

    /// A path parameter that is a UUID; one that cannot be a UUID names nothing.
    package func unique(_ name: String) throws(Problem) -> UniqueID {
        guard let id = parameters[name].flatMap({ UniqueID($0) }) else { throw .notFound }
        return id
    }

    /// The body, checked against its shape.
    ///
    /// No body at all stands for `{}` where nothing is required.
    package func decode<Body: RequestBody>(_ type: Body.Type) throws(Problem) -> Body {
        let bytes = body.isEmpty && !type.schema.needsContent ? Array("{}".utf8) : body
        if !body.isEmpty, !isJSON { throw .notJSON }
        let value: JSONValue
        do {
            value = try JSONText.parse(bytes)
        } catch {
            switch error {
            case .malformed(let place):
                throw .malformedJSON(bytes.isEmpty ? "It is empty." : "It cannot be parsed from byte \(place) on.")
            case .repeatedName: throw .malformedJSON("A name comes twice in one object.")
            case .tooDeep: throw .malformedJSON("It is nested too deeply.")
            }
        }
        let faults = type.schema.faults(in: value)
        guard faults.isEmpty else { throw .invalid(faults) }
        do {
            return try JSON.decode(type, from: bytes)
        } catch {
            // The shape is right, so a value of a narrower type (an id, a time) is not.
            throw .invalid([.init("has a value that cannot be taken", pointer: Self.pointer(to: error))])
        }
    }

    private var isJSON: Bool {
        guard let type = headers[.contentType] else { return true }
        let essence = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return essence == "application/json" || essence.hasSuffix("+json")
    }

    private static func pointer(to error: any Error) -> String {
        guard let error = error as? DecodingError else { return "#" }
        let context: DecodingError.Context? =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
                .dataCorrupted(let context):
                context
            @unknown default: nil
            }
        return "#" + (context?.codingPath ?? []).map { "/" + ($0.intValue.map(String.init) ?? $0.stringValue) }.joined()
    }
}
