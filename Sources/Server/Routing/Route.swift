package import HTTPTypes
internal import Kernel

/// Who may call a route, as far as can be told without looking at what it is called about.
package enum Access: Sendable, Equatable {
    /// Anybody.
    case open
    /// Anybody with credentials whose scopes contain this one.
    case scope(Scope)
    /// Operators and platform auditors.
    case platform
    /// Operators only.
    case operators
    /// The edge, by its own token.
    case edge

    /// What a key may be used for.
    package enum Scope: String, Sendable {
        case read, write
    }
}

/// One line of the API: it is served, checked and documented from this value alone.
package struct Route: Sendable {
    package typealias Handler = @Sendable (Call) async throws(Problem) -> Answer

    /// A parameter in the query.
    package struct Parameter: Sendable {
        package var name: String
        package var schema: Schema
        package var summary: String

        package init(_ name: String, _ schema: Schema, _ summary: String) {
            self.name = name
            self.schema = schema
            self.summary = summary
        }
    }

    /// What the route answers when all goes well.
    package struct Success: Sendable {
        package var status: HTTPResponse.Status
        package var type: String
        package var schema: Schema?
        /// What the same document may be answered with instead, when it says that all is not well.
        package var others: [HTTPResponse.Status]

        package init(
            _ status: HTTPResponse.Status,
            _ schema: Schema? = nil,
            type: String = "application/json",
            or others: [HTTPResponse.Status] = []
        ) {
            self.status = status
            self.schema = schema
            self.type = type
            self.others = others
        }
    }

    package var method: HTTPRequest.Method
    /// The path with its parameters in braces, as in `/v1/instances/{instance}`.
    package var path: String
    /// The operation's id in the OpenAPI document; unique.
    package var name: String
    package var summary: String
    package var access: Access
    package var parameters: [Parameter]
    /// Whether the query may have more in it, which is not looked at: what others than clients of ours send.
    package var takesOtherParameters = false
    package var body: Schema?
    package var success: Success
    /// Whether it is one of the control plane before this one, whose clients look for `error` in what went wrong.
    package var isOlder = false
    package var handler: Handler

    /// A route without a body.
    package init(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ name: String,
        _ summary: String,
        access: Access,
        parameters: [Parameter] = [],
        success: Success,
        handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.name = name
        self.summary = summary
        self.access = access
        // Every read takes it; one that reads the log itself, or what never changes, reflects any position that was told.
        let takesPosition = method == .get && access != .open && access != .edge
        let isListed = parameters.contains { $0.name == Parameter.minimumPosition.name }
        self.parameters = takesPosition && !isListed ? parameters + [.minimumPosition] : parameters
        self.body = nil
        self.success = success
        self.handler = handler
    }

    /// A route with a body, which is checked against its shape before the handler sees it.
    package init<Body: RequestBody>(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ name: String,
        _ summary: String,
        access: Access,
        parameters: [Parameter] = [],
        body: Body.Type,
        success: Success,
        handler: @escaping @Sendable (Call, Body) async throws(Problem) -> Answer
    ) {
        self.init(method, path, name, summary, access: access, parameters: parameters, success: success) {
            call throws(Problem) in
            try await handler(call, try call.decode(body))
        }
        self.body = body.schema
    }

    /// Refuses parameters that the route does not have, and values that they cannot take.
    func check(_ query: Query) throws(Problem) {
        var faults: [Problem.Fault] = []
        for name in query.names where !takesOtherParameters && !parameters.contains(where: { $0.name == name }) {
            faults.append(.init("is not a known parameter", parameter: name))
        }
        for parameter in parameters {
            guard let text = query.given(parameter.name) else { continue }
            for fault in parameter.schema.faults(inText: text) {
                faults.append(.init(fault.detail, parameter: parameter.name))
            }
        }
        if !faults.isEmpty { throw .invalid(faults) }
    }

    /// The parameters in the path with the shapes that they have, in their order.
    package var places: [(name: String, schema: Schema)] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { segment in
            let name = String(segment.dropFirst().dropLast())
            return (name, Self.placeSchemas[name] ?? .text)
        }
    }

    /// What cannot be the name of anything names nothing, unlike a wrong parameter, which is told.
    func check(places values: [String: String]) throws(Problem) {
        for (name, schema) in places {
            guard schema.faults(inText: values[name] ?? "").isEmpty else { throw .notFound }
        }
    }

    /// The same names mean the same everywhere; what is not here is any text.
    private static let placeSchemas: [String: Schema] = [
        "organization": .identifier, "instance": .identifier, "subscription": .identifier, "user": .identifier,
        "key": .identifier, "rollout": .identifier, "operation": .uuid, "saga": .uuid, "invitation": .uuid,
        "webhook": .uuid, "delivery": .uuid,
        "position": .integer(1...Int64.max),
    ]
}

extension Schema {
    /// What is wrong with a value that came as text, in a path or a query.
    fileprivate func faults(inText text: String) -> [Problem.Fault] {
        if case .integer = self, !text.hasPrefix("+"), let number = Int64(text) { return faults(in: .integer(number)) }
        return faults(in: .string(text))
    }
}
