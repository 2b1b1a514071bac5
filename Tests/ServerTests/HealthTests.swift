import HTTPTypes
import Kernel
import Metrics
import Projections
@testable import Server
import Synchronization
import Testing

@Suite("How the process is")
struct HealthTests {
    @Test("liveness depends on nothing; health and readiness depend on the database")
    func databaseDown() async throws {
        var stage = try await Stage()
        #expect(try await stage.send(.get, "/health").json["status"] == "healthy")
        #expect(try await stage.send(.get, "/readyz").json == ["status": "ready"])
        stage.backend.plane.databaseProblem = { "the database does not answer" }
        #expect(try await stage.send(.get, "/livez").status == .ok)
        let health = try await stage.send(.get, "/health")
        #expect(health.status == .serviceUnavailable)
        #expect(health.json == ["status": "unhealthy", "error": "the database does not answer"])
        let ready = try await stage.send(.get, "/readyz")
        #expect(ready.status == .serviceUnavailable)
        #expect(ready.json["checks"]?.array?.first?["name"] == "database")
    }

    @Test("readiness names each check when asked")
    func verbose() async throws {
        var stage = try await Stage()
        stage.backend.plane.checks = { [.init("read models"), .init("log")] }
        let names = try await stage.send(.get, "/readyz?verbose").json["checks"]?.array?.compactMap {
            $0["name"]?.string
        }
        #expect(names == ["database", "read models", "log"])
    }

    @Test("metrics are grouped, escaped and end with a line break")
    func metrics() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "signalbox_http_requests_total", dimensions: [("route", "/a\"b")]).increment(by: 2)
        registry.makeCounter(label: "signalbox_http_requests_total", dimensions: [("route", "/c")]).increment(by: 1)
        registry.makeMeter(label: "signalbox-lag", dimensions: []).set(Int64(7))
        registry.makeTimer(label: "signalbox_seconds", dimensions: []).recordNanoseconds(2_000_000)
        let text = registry.text
        #expect(text.components(of: "# TYPE signalbox_http_requests_total counter") == 1)
        #expect(text.contains("# HELP signalbox_http_requests_total requests answered"))
        #expect(text.contains("signalbox_http_requests_total{route=\"/a\\\"b\"} 2\n"))
        #expect(text.contains("# TYPE signalbox_lag gauge\nsignalbox_lag 7\n"))
        #expect(text.contains("signalbox_seconds_bucket{le=\"0.001\"} 0\n"))
        #expect(text.contains("signalbox_seconds_bucket{le=\"0.0025\"} 1\n"))
        #expect(text.contains("signalbox_seconds_bucket{le=\"+Inf\"} 1\n"))
        #expect(text.contains("signalbox_seconds_count 1\n"))
        #expect(text.hasSuffix("\n"))
    }

    @Test("OpenMetrics are given to who asks for them, with counters named as it wants them, and an end")
    func openMetrics() async throws {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "signalbox_repeats_total", dimensions: [("kind", "a")]).increment(by: 2)
        registry.makeTimer(label: "signalbox_seconds", dimensions: []).recordNanoseconds(2_000_000_000)
        let text = registry.openMetrics
        #expect(text.contains("# TYPE signalbox_repeats counter\nsignalbox_repeats_total{kind=\"a\"} 2\n"))
        #expect(text.contains("signalbox_seconds_bucket{le=\"1.0\"} 0\n"))
        #expect(text.hasSuffix("signalbox_seconds_count 1\n# EOF\n"))
        var stage = try await Stage()
        stage.backend.plane.metrics = { "a" }
        stage.backend.plane.openMetrics = { "b" }
        let plain = try await stage.send(.get, "/metrics")
        #expect(plain.text == "a" && plain.headers[.contentType]?.hasPrefix("text/plain; version=0.0.4") == true)
        let accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
        let open = try await stage.send(.get, "/metrics", headers: [.accept: accept])
        #expect(open.text == "b" && open.headers[.contentType]?.hasPrefix("application/openmetrics-text") == true)
    }

    @Test("what never happened yet is offered as zero")
    func zeros() {
        let registry = MetricsRegistry()
        _ = registry.makeCounter(label: "signalbox_conflicts_total", dimensions: [])
        _ = registry.makeTimer(label: "signalbox_seconds", dimensions: [])
        registry.makeCounter(label: "signalbox_repeats_total", dimensions: []).increment(by: 2)
        _ = registry.makeCounter(label: "signalbox_repeats_total", dimensions: [])
        #expect(registry.text.contains("signalbox_conflicts_total 0\n"))
        #expect(registry.text.contains("signalbox_seconds_count 0\n"))
        #expect(registry.text.contains("signalbox_repeats_total 2\n"))
    }

    @Test("the edge gets 503, never an older document, until the routes have passed the last one")
    func edge() async throws {
        let stage = try await Stage()
        let position = Mutex<Int64>(3)
        let floors = Mutex<[Int64]>([])
        var backend = stage.backend
        backend.plane.edgeDocument = { _ in Array("{\"n\":1}".utf8) }
        backend.events.frontier = { () throws(EventDoor.Failure) in 5 }
        backend.reads.routes = { floor throws(ReadError) in
            floors.withLock { $0.append(floor) }
            let now = position.withLock { $0 }
            guard now >= floor else { throw .behind(position: now) }
            return Reading([], at: now)
        }
        let api = API(backend: backend, settings: APISettings(), ids: .system)
        let table = api.table(version: "test")
        guard case .found(let route, _) = table.match(.get, path: "/traefik/dynamic") else {
            Issue.record("no route")
            return
        }
        let call = Call.testing(.get, "/traefik/dynamic")
        // A fresh process knows only that nobody served anything newer than the log's end.
        await #expect(throws: Problem.self) { try await route.handler(call) }
        position.withLock { $0 = 9 }
        #expect(try await route.handler(call).status == .ok)
        // The read model was rebuilt and is behind what was served.
        position.withLock { $0 = 8 }
        await #expect(throws: Problem.self) { try await route.handler(call) }
        #expect(floors.withLock { $0 } == [5, 5, 9])
    }
}

extension String {
    fileprivate func components(of line: String) -> Int {
        split(separator: "\n").count { $0 == line }
    }
}
