internal import HTTPTypes
internal import Kernel

extension API {
    /// The table with the routes that describe it, themselves included.
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
        let page = Route(
            .get,
            "/docs",
            "document",
            "This API for people.",
            access: .open,
            success: .init(.ok, .text, type: "text/html"),
            handler: { _ throws(Problem) in throw .notFound }
        )
        let document = OpenAPI(RouteTable(routes + [own, page]), schemas: shapes, version: version).document
        var (served, shown) = (own, page)
        served.handler = { _ throws(Problem) in try .json(document) }
        let html = DocumentationPage(routes + [own, page], version: version).html
        shown.handler = { _ throws(Problem) in
            var answer = Answer.text(html, type: "text/html; charset=utf-8")
            answer.headers[.contentSecurityPolicy] = DocumentationPage.contentSecurityPolicy
            return answer
        }
        return RouteTable(routes + [served, shown])
    }
}
