internal import HTTPTypes
internal import Kernel
internal import Synchronization

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
        let all = routes + [own, page]
        let document = Once { OpenAPI(RouteTable(all), schemas: shapes, version: version).document }
        let html = Once { DocumentationPage(all, version: version).html }
        var (served, shown) = (own, page)
        served.handler = { _ throws(Problem) in try .json(document.value) }
        shown.handler = { _ throws(Problem) in
            var answer = Answer.text(html.value, type: "text/html; charset=utf-8")
            answer.headers[.contentSecurityPolicy] = DocumentationPage.contentSecurityPolicy
            return answer
        }
        return RouteTable(routes + [served, shown])
    }
}

/// A value that is made when it is asked for first, and kept.
private final class Once<Value: Sendable>: Sendable {
    private let made = Mutex<Value?>(nil)
    private let make: @Sendable () -> Value

    init(_ make: @escaping @Sendable () -> Value) {
        self.make = make
    }

    var value: Value {
        made.withLock { kept in
            if let kept { return kept }
            let value = make()
            kept = value
            return value
        }
    }
}
