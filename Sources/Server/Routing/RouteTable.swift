package import HTTPTypes

/// All routes, found by path and method.
package struct RouteTable: Sendable {
    /// What a path and a method lead to.
    package enum Match: Sendable {
        case found(Route, parameters: [String: String])
        /// The path exists, with other methods.
        case otherMethods([HTTPRequest.Method])
        case nothing
    }

    /// In the order they were given.
    package let routes: [Route]
    private let root: Node

    /// - Precondition: No two routes have the same method and path, nor the same name.
    package init(_ routes: [Route]) {
        self.routes = routes
        var root = Node()
        for route in routes {
            root.insert(route, below: Self.segments(route.path)[...])
        }
        self.root = root
        precondition(Set(routes.map(\.name)).count == routes.count, "two routes have the same name")
    }

    /// Finds the route; HEAD finds what GET would.
    package func match(_ method: HTTPRequest.Method, path: some StringProtocol) -> Match {
        var segments: [String] = []
        for segment in Self.segments(path) {
            guard let decoded = PercentEncoding.decode(segment) else { return .nothing }
            segments.append(decoded)
        }
        var parameters: [String] = []
        guard let node = root.find(segments[...], parameters: &parameters) else { return .nothing }
        guard let route = node.routes[method == .head ? .get : method] else {
            return .otherMethods(Self.methods(of: node))
        }
        let names = Self.segments(route.path).filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
        return .found(route, parameters: Dictionary(zip(names, parameters)) { first, _ in first })
    }

    private static func methods(of node: Node) -> [HTTPRequest.Method] {
        node.routes.keys + (node.routes[.get] == nil ? [] : [.head]) + [.options]
    }

    private static func segments(_ path: some StringProtocol) -> [String] {
        String(path).dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
    }
}

extension RouteTable {
    /// One segment of the paths and what comes below it.
    fileprivate struct Node: Sendable {
        var routes: [HTTPRequest.Method: Route] = [:]
        var literals: [String: Node] = [:]
        /// At most one: a path parameter that takes any text.
        var parameter: [Node] = []
        /// Those of a last parameter `{path}`, which takes all that is left of the path, with its slashes.
        var rest: [HTTPRequest.Method: Route] = [:]

        mutating func insert(_ route: Route, below segments: ArraySlice<String>) {
            guard let first = segments.first else {
                precondition(routes.updateValue(route, forKey: route.method) == nil, "two routes \(route.path)")
                return
            }
            if segments == ["{path}"] {
                precondition(rest.updateValue(route, forKey: route.method) == nil, "two routes \(route.path)")
            } else if first.hasPrefix("{") {
                if parameter.isEmpty { parameter = [Node()] }
                parameter[0].insert(route, below: segments.dropFirst())
            } else {
                literals[first, default: Node()].insert(route, below: segments.dropFirst())
            }
        }

        /// A literal is preferred to a parameter.
        func find(_ segments: ArraySlice<String>, parameters: inout [String]) -> Node? {
            guard let first = segments.first else { return routes.isEmpty ? nil : self }
            if let found = literals[first]?.find(segments.dropFirst(), parameters: &parameters) { return found }
            guard !first.isEmpty else { return nil }
            if let child = parameter.first {
                parameters.append(first)
                if let found = child.find(segments.dropFirst(), parameters: &parameters) { return found }
                parameters.removeLast()
            }
            guard !rest.isEmpty else { return nil }
            parameters.append(segments.joined(separator: "/"))
            return Node(routes: rest)
        }
    }
}
