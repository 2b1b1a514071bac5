internal import HTTPTypes
package import Kernel

/// The OpenAPI 3.1 document of a route table.
package struct OpenAPI: Sendable {
    private let table: RouteTable
    private let schemas: [String: Schema]
    private let version: String
    private let examples: Examples

    /// Of a table whose routes refer to these shapes by name, and of this version of the build.
    package init(_ table: RouteTable, schemas: [String: Schema], version: String) {
        self.table = table
        self.schemas = schemas
        self.version = version
        self.examples = Examples(shapes: schemas)
    }

    /// The whole document.
    package var document: JSONValue {
        var paths: [String: [String: JSONValue]] = [:]
        for route in table.routes {
            paths[route.path, default: [:]][route.method.rawValue.lowercased()] = operation(route)
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Signalbox",
                "version": .string(version),
                "description": "An event-sourced control plane: every change is an event in one log.",
            ],
            "servers": [["url": "/"]],
            "paths": .object(paths.mapValues { .object($0) }),
            "components": [
                "schemas": .object(
                    schemas.mapValues(\.document).merging(["Problem": Self.problem]) { named, _ in named }
                ),
                "examples": .object(
                    Problem.catalogue.mapValues { ["summary": .string($0.title), "value": $0.example] }
                ),
                "responses": [
                    "Problem": [
                        "description": "Why the request was not answered as asked (RFC 9457).",
                        "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]],
                    ]
                ],
                "securitySchemes": [
                    "key": ["type": "http", "scheme": "bearer", "description": "An API key, `sbx_{id}_{secret}`."],
                    "token": [
                        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                        "description": "A token of the issuer that the plane trusts.",
                    ],
                    "session": [
                        "type": "apiKey", "in": "cookie", "name": "__Host-signalbox-session",
                        "description": "A browser that has signed in at /auth/login.",
                    ],
                    "csrf": [
                        "type": "apiKey", "in": "header", "name": "X-CSRF-Token",
                        "description": "The `csrfToken` of /auth/session: what a session needs to change anything.",
                    ],
                    "edge": ["type": "http", "scheme": "bearer", "description": "The token of the edge router."],
                ],
            ],
        ]
    }

    private func operation(_ route: Route) -> JSONValue {
        var operation: [String: JSONValue] = [
            "operationId": .string(route.name),
            "summary": .string(route.summary),
            "responses": .object(responses(route)),
        ]
        let parameters = pathParameters(route) + queryParameters(route) + headerParameters(route)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let body = route.body {
            operation["requestBody"] = [
                "required": .bool(body.needsContent),
                "content": ["application/json": ["schema": body.document, "example": examples.request(route) ?? [:]]],
            ]
        }
        switch route.access {
        case .open: operation["security"] = []
        case .scope:
            let session: JSONValue = route.method == .get ? ["session": []] : ["session": [], "csrf": []]
            operation["security"] = [["key": []], ["token": []], session]
        // No person is of the platform.
        case .platform, .operators: operation["security"] = [["key": []], ["token": []]]
        case .edge: operation["security"] = [["edge": []]]
        }
        return .object(operation)
    }

    private func success(_ route: Route) -> JSONValue {
        var response: [String: JSONValue] = ["description": .string(route.success.status.reasonPhrase)]
        if let schema = route.success.schema {
            var content: [String: JSONValue] = ["schema": schema.document]
            if let example = examples.success(route) { content["example"] = example }
            response["content"] = .object([route.success.type: .object(content)])
        }
        return .object(response)
    }

    /// What is answered when all goes well, and the problems by their status; others are said to be problems too.
    private func responses(_ route: Route) -> [String: JSONValue] {
        var responses: [String: JSONValue] = ["default": ["$ref": "#/components/responses/Problem"]]
        for (status, problems) in Dictionary(grouping: route.problems, by: \.status.code) {
            let slugs = problems.map(\.slug).sorted()
            let types: JSONValue = .array(
                problems.map { .string($0.type) }.sorted { $0.string ?? "" < $1.string ?? "" }
            )
            let examples = slugs.map { ($0, JSONValue.object(["$ref": .string("#/components/examples/\($0)")])) }
            responses[String(status)] = [
                "description": .string(slugs.map { "`\($0)`" }.joined(separator: ", ")),
                "content": [
                    "application/problem+json": [
                        "schema": [
                            "allOf": [
                                ["$ref": "#/components/schemas/Problem"],
                                ["type": "object", "properties": ["type": ["enum": types]]],
                            ]
                        ],
                        "examples": .object(Dictionary(examples) { first, _ in first }),
                    ]
                ],
            ]
        }
        let success = success(route)
        responses[String(route.success.status.code)] = success
        // These say with the same document that all is not well.
        for status in route.success.others { responses[String(status.code)] = success }
        return responses
    }

    private func pathParameters(_ route: Route) -> [JSONValue] {
        route.places.map {
            let example = examples.value(of: $0.schema, named: $0.name)
            return Self.parameter($0.name, in: "path", required: true, $0.schema.document, example: example)
        }
    }

    private func queryParameters(_ route: Route) -> [JSONValue] {
        route.parameters.map { parameter in
            Self.parameter(
                parameter.name,
                in: "query",
                required: false,
                parameter.schema.document,
                description: parameter.summary
            )
        }
    }

    private func headerParameters(_ route: Route) -> [JSONValue] {
        guard route.method == .post, route.access != .open else { return [] }
        return [
            Self.parameter(
                "Idempotency-Key",
                in: "header",
                required: false,
                ["type": "string", "maxLength": 255],
                description: "The same key with the same body is carried out once and answered the same for 7 days."
            )
        ]
    }

    private static func parameter(
        _ name: String,
        in place: String,
        required: Bool,
        _ schema: JSONValue,
        description: String? = nil,
        example: JSONValue? = nil
    ) -> JSONValue {
        var parameter: [String: JSONValue] = [
            "name": .string(name), "in": .string(place), "required": .bool(required), "schema": schema,
        ]
        if let description { parameter["description"] = .string(description) }
        if let example { parameter["example"] = example }
        return .object(parameter)
    }

    private static let problem: JSONValue = [
        "type": "object",
        "required": ["type", "title", "status", "requestId"],
        "properties": [
            "type": ["type": "string", "format": "uri"],
            "title": ["type": "string"],
            "status": ["type": "integer"],
            "detail": ["type": "string"],
            "requestId": ["type": "string"],
            "errors": [
                "type": "array",
                "items": [
                    "type": "object",
                    "required": ["detail"],
                    "properties": [
                        "detail": ["type": "string"],
                        "pointer": ["type": "string"],
                        "parameter": ["type": "string"],
                    ],
                ],
            ],
        ],
    ]
}

extension Schema {
    /// Whether an empty body cannot do.
    var needsContent: Bool {
        guard case .object(let members) = self else { return true }
        return members.contains(where: \.required)
    }
}
