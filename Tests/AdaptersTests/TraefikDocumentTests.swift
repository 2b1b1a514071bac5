import Adapters
import Kernel
import Platform
import Testing

@Suite("Traefik document")
struct TraefikDocumentTests {
    private let routes = [
        Route(router: "org-2", host: "beta.railzway.com", services: ["railzway-org-2": 100]),
        Route(router: "org-1", host: "acme.railzway.com", services: ["railzway-org-1": 90, "railzway-org-1-b": 10]),
    ]

    @Test("routes become routers over weighted services of the catalogue")
    func document() {
        let bytes = TraefikDocument(certificateResolver: "letsencrypt").bytes(for: [routes[1]])
        #expect(
            String(decoding: bytes, as: UTF8.self) == """
                {"http":{"routers":{"org-1":{"entryPoints":["websecure"],"rule":"Host(`acme.railzway.com`)","service":"org-1",\
                "tls":{"certResolver":"letsencrypt"}}},"services":{"org-1":{"weighted":{"services":[\
                {"name":"railzway-org-1@nomad","weight":90},{"name":"railzway-org-1-b@nomad","weight":10}]}}}}}
                """
        )
    }

    @Test("reads that go elsewhere have a router of their own, and what gets nothing is not named")
    func reads() {
        let route = Route(
            router: "org-1",
            host: "acme.railzway.com",
            services: ["railzway-org-1": 100, "railzway-org-1-b": 0],
            reads: ["railzway-org-1": 90, "railzway-org-1-b": 10]
        )
        let bytes = TraefikDocument(entryPoints: []).bytes(for: [route])
        #expect(
            String(decoding: bytes, as: UTF8.self) == """
                {"http":{"routers":{"org-1":{"rule":"Host(`acme.railzway.com`)","service":"org-1"},\
                "org-1-read":{"rule":"Host(`acme.railzway.com`) && (Method(`GET`) || Method(`HEAD`))",\
                "service":"org-1-read"}},"services":{"org-1":{"weighted":{"services":[\
                {"name":"railzway-org-1@nomad","weight":100}]}},"org-1-read":{"weighted":{"services":[\
                {"name":"railzway-org-1@nomad","weight":90},{"name":"railzway-org-1-b@nomad","weight":10}]}}}}}
                """
        )
        let same = Route(router: "org-1", host: "h", services: ["x": 1], reads: ["x": 1])
        #expect(same.reads == nil)
    }

    @Test("the order of routes does not change a byte")
    func order() {
        let document = TraefikDocument(catalogue: .consul, entryPoints: ["web"])
        #expect(document.bytes(for: routes) == document.bytes(for: routes.reversed()))
        #expect(String(decoding: document.bytes(for: routes), as: UTF8.self).contains("railzway-org-2@consulcatalog"))
    }

    @Test("no routes are an empty document, because Traefik refuses empty maps")
    func empty() {
        #expect(TraefikDocument().bytes(for: []) == Array("{}".utf8))
        let unserved = Route(router: "org-3", host: "gamma.railzway.com", services: [:])
        #expect(TraefikDocument().bytes(for: [unserved]) == Array("{}".utf8))
    }

    @Test("a host cannot end its quotation")
    func quotation() {
        #expect(TraefikDocument.rule(host: "a`) || Host(`b") == "Host(`a) || Host(b`)")
    }

    @Test("is what Traefik's schema says", arguments: [nil, "letsencrypt"])
    func schema(resolver: String?) throws {
        let schema = try Fixture.json("traefik/file-provider.schema.json")
        let bytes = TraefikDocument(certificateResolver: resolver).bytes(for: routes)
        let check = SchemaCheck(root: schema)
        #expect(check.problems(try JSON.decode(JSONValue.self, from: bytes), as: schema) == [])
        #expect(check.problems(["http": ["rooters": [:]]], as: schema) == ["#/http/rooters: no such field"])
    }
}
