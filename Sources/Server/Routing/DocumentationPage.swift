internal import HTTPTypes

/// The routes for people, as one page without scripts; it says what `/openapi.json` says to programs.
package struct DocumentationPage: Sendable {
    private let routes: [Route]
    private let version: String

    /// Of these routes, and of this version of the build.
    package init(_ routes: [Route], version: String) {
        self.routes = routes
        self.version = version
    }

    /// Styles are in the page; nothing else is loaded.
    package static let contentSecurityPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

    /// The whole document.
    package var html: String {
        let groups = Dictionary(grouping: routes, by: Self.group)
        var body = ""
        for group in groups.keys.sorted() {
            body += "<h2 id=\"\(Self.escape(group))\">\(Self.escape(group))</h2>\n"
            for route in groups[group] ?? [] { body += Self.section(route) }
        }
        let contents = groups.keys.sorted().map { "<a href=\"#\(Self.escape($0))\">\(Self.escape($0))</a>" }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>Signalbox</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>\(Self.style)</style></head><body>
            <h1>Signalbox \(Self.escape(version))</h1>
            <p>Programs read <a href="/openapi.json">/openapi.json</a>. Errors are RFC 9457 problems, lists have
            <code>data</code> and <code>next</code>, commands take <code>Idempotency-Key</code>.</p>
            <nav>\(contents.joined(separator: " · "))</nav>
            \(body)</body></html>

            """
    }

    private static func section(_ route: Route) -> String {
        var text = """
            <section id="\(escape(route.name))"><h3><b>\(escape(route.method.rawValue))</b>
            <code>\(escape(route.path))</code></h3>
            <p>\(escape(route.summary))</p><p class="who">\(escape(who(route.access))); answers
            \(route.success.status.code).</p>

            """
        if !route.parameters.isEmpty {
            let rows = route.parameters.map {
                "<dt><code>\(escape($0.name))</code></dt><dd>\(escape($0.summary))</dd>"
            }
            text += "<dl>\(rows.joined())</dl>\n"
        }
        if case .object(let members) = route.body, !members.isEmpty {
            let names = members.map { "<code>\(escape($0.name))</code>" + ($0.required ? "" : " (optional)") }
            text += "<p>Body: \(names.joined(separator: ", "))</p>\n"
        }
        return text + "</section>\n"
    }

    /// The first segment below the version, which is what a route is about.
    private static func group(_ route: Route) -> String {
        let segments = route.path.split(separator: "/").map(String.init)
        return segments.first == "v1" ? segments.dropFirst().first ?? "v1" : "plane"
    }

    private static func who(_ access: Access) -> String {
        switch access {
        case .open: "For everybody"
        case .scope(.read): "With credentials that may read"
        case .scope(.write): "With credentials that may write"
        case .platform: "For operators and platform auditors"
        case .operators: "For operators"
        case .edge: "For the edge"
        }
    }

    private static func escape(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
    }

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
        section{border-top:1px solid #ccc;padding:.5rem 0}h3{font-weight:normal;margin:.5rem 0}
        dt{float:left;clear:left;width:12rem}dd{margin-left:13rem}.who{color:#555}
        """
}
