internal import HTTPTypes
package import Kernel

/// The OpenAPI 3.1 document of a route table.
package struct OpenAPI: Sendable {
    private let table: RouteTable
    private let schemas: [String: Schema]
    private let version: String

    /// Of a table whose routes refer to these shapes by name, and of this version of the build.
    package init(_ table: RouteTable, schemas: [String: Schema], version: String) {
        self.table = table
        self.schemas = schemas
        self.version = version
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
                    "edge": ["type": "http", "scheme": "bearer", "description": "The token of the edge router."],
                ],
            ],
        ]
    }

    private func operation(_ route: Route) -> JSONValue {
        var operation: [String: JSONValue] = [
            "operationId": .string(route.name),
            "summary": .string(route.summary),
            "responses": .object([
                String(route.success.status.code): success(route),
                "default": ["$ref": "#/components/responses/Problem"],
            ]),
        ]
        let parameters = pathParameters(route) + queryParameters(route) + headerParameters(route)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let body = route.body {
            operation["requestBody"] = [
                "required": .bool(body.needsContent), "content": ["application/json": ["schema": body.document]],
            ]
        }
        switch route.access {
        case .open: operation["security"] = []
        case .scope, .platform, .operators: operation["security"] = [["key": []], ["token": []]]
        case .edge: operation["security"] = [["edge": []]]
        }
        return .object(operation)
    }

    private func success(_ route: Route) -> JSONValue {
        var response: [String: JSONValue] = ["description": .string(route.success.status.reasonPhrase)]
        if let schema = route.success.schema {
            response["content"] = .object([route.success.type: ["schema": schema.document]])
        }
        return .object(response)
    }

    private func pathParameters(_ route: Route) -> [JSONValue] {
        route.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { segment in
            Self.parameter(String(segment.dropFirst().dropLast()), in: "path", required: true, ["type": "string"])
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
        description: String? = nil
    ) -> JSONValue {
        var parameter: [String: JSONValue] = [
            "name": .string(name), "in": .string(place), "required": .bool(required), "schema": schema,
        ]
        if let description { parameter["description"] = .string(description) }
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
