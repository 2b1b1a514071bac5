internal import Kernel
package import Platform

/// The dynamic configuration that Traefik's HTTP provider polls: our routers and weights.
///
/// Addresses are the business of the catalogue: every leaf is a service of another provider. The bytes depend on the
/// routes alone, in any order, because Traefik reloads when they change; empty maps are left out, because one of them
/// makes Traefik refuse the whole document (observed with 3.7.15), and so no routes at all are `{}`.
package struct TraefikDocument: Sendable {
    /// Which of Traefik's providers knows the addresses of workloads.
    package enum Catalogue: String, Sendable, Codable {
        case nomad
        case consul = "consulcatalog"
    }

    private let catalogue: Catalogue
    private let entryPoints: [String]
    private let certificateResolver: String?

    /// How routers are made.
    ///
    /// - Parameters:
    ///   - catalogue: Whose services the leaves are.
    ///   - entryPoints: Where routers listen; none: at all of Traefik's own.
    ///   - certificateResolver: When given, routers end TLS with certificates from it.
    package init(
        catalogue: Catalogue = .nomad,
        entryPoints: [String] = ["websecure"],
        certificateResolver: String? = nil
    ) {
        self.catalogue = catalogue
        self.entryPoints = entryPoints
        self.certificateResolver = certificateResolver
    }

    /// The document, as JSON.
    ///
    /// A route without services is left out: a weighted service of nothing is refused.
    package func bytes(for routes: [Route]) -> [UInt8] {
        // Encoding a JSON value to JSON fails only for a number that is not finite, and the document has none.
        (try? JSON.encode(document(for: routes))) ?? Array("{}".utf8)
    }

    /// The rule of a route's router.
    ///
    /// A host name has no backtick (`Slug` and the root domain see to that); one would end the quotation, so it is
    /// dropped here too.
    package static func rule(host: String) -> String {
        "Host(`\(host.filter { $0 != "`" })`)"
    }

    /// The rule of the router of what only looks.
    package static func readRule(host: String) -> String {
        rule(host: host) + " && (Method(`GET`) || Method(`HEAD`))"
    }

    /// The name of the router of what only looks.
    package static func reading(_ router: String) -> String { router + "-read" }

    private func document(for routes: [Route]) -> JSONValue {
        var routers: [String: JSONValue] = [:]
        var services: [String: JSONValue] = [:]
        for route in routes where !route.services.isEmpty {
            routers[route.router] = router(Self.rule(host: route.host), of: route.router)
            services[route.router] = service(route.services)
            guard let reads = route.reads, !reads.isEmpty else { continue }
            let name = Self.reading(route.router)
            // The longer rule wins; when a leaf is missing this router goes, and the other one takes its place.
            routers[name] = router(Self.readRule(host: route.host), of: name)
            services[name] = service(reads)
        }
        return routers.isEmpty ? [:] : ["http": ["routers": .object(routers), "services": .object(services)]]
    }

    private func router(_ rule: String, of service: String) -> JSONValue {
        var router: [String: JSONValue] = ["rule": .string(rule), "service": .string(service)]
        if !entryPoints.isEmpty { router["entryPoints"] = .array(entryPoints.map { .string($0) }) }
        if let certificateResolver { router["tls"] = ["certResolver": .string(certificateResolver)] }
        return .object(router)
    }

    /// A leaf without weight is left out: when its service goes, the router would go with it.
    private func service(_ weights: [String: Int]) -> JSONValue {
        let leaves = weights.filter { $0.value > 0 }.sorted { $0.key < $1.key }
            .map { name, weight -> JSONValue in
                ["name": .string("\(name)@\(catalogue.rawValue)"), "weight": .integer(Int64(weight))]
            }
        return ["weighted": ["services": .array(leaves)]]
    }
}
