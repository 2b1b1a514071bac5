internal import HTTPTypes
internal import Kernel

extension API {
    /// The table with the route that describes it, itself included.
    static func described(_ routes: [Route], version: String) -> RouteTable {
        let own = Route(
            .get,
            "/openapi.json",
            "describe",
            "This API in OpenAPI 3.1.",
            access: .open,
            success: .init(.ok, .anything),
            handler: { _ throws(Problem) in throw .notFound }
        )
        let document = OpenAPI(RouteTable(routes + [own]), schemas: shapes, version: version).document
        var served = own
        served.handler = { _ throws(Problem) in try .json(document) }
        return RouteTable(routes + [served])
    }
}
