import Adapters
import Kernel
import Logging
import Testing

@testable import signalbox

@Suite("Traces", .wholeMachine, .timeLimit(.minutes(15)))
struct TraceTests {
    private static let http = HTTPCaller.makeClient()
    private static let trace = "0af7651916cd43dd8448eb211c80319c"

    private func settings(_ collector: String, _ more: [String: String] = [:]) throws -> TraceSettings {
        var read = EnvironmentReader(["OTEL_EXPORTER_OTLP_ENDPOINT": collector].merging(more) { $1 })
        let settings = TraceSettings(&read)
        return try #require(settings)
    }

    private func exporter(_ settings: TraceSettings, _ recorder: SpanRecorder) -> SpanExporter {
        SpanExporter(
            settings,
            recorder: recorder,
            http: Self.http,
            version: "test",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            period: .milliseconds(20)
        )
    }

    private func leave(_ count: Int, with recorder: SpanRecorder) {
        for number in 0..<count {
            guard let span = recorder.begin("span \(number)", .client, partOf: "00-\(Self.trace)-b7ad6b7169203331-01")
            else { return }
            recorder.end(
                span,
                attributes: ["number": .integer(Int64(number))],
                problem: number == 0 ? "key=sbx_1_0123456789" : nil
            )
        }
    }

    @Test("spans come to the collector as OTLP, again when it was busy, without secrets")
    func otlp() async throws {
        let asked = try await ScriptedServer.with([.init(status: 503), .init(status: 200)]) { collector in
            let recorder = SpanRecorder()
            leave(2, with: recorder)
            let settings = try settings(collector, ["OTEL_SERVICE_NAME": "ours"])
            let isSent = await exporter(settings, recorder).flush()
            #expect(isSent)
            #expect(recorder.take(10).isEmpty)
        }
        #expect(asked.map(\.path) == ["/v1/traces", "/v1/traces"] && asked[0].body == asked[1].body)
        let body = try JSON.decode(JSONValue.self, from: asked[1].body.utf8)
        let resource = try #require(body["resourceSpans"]?.array?.first)
        let service: JSONValue = ["key": "service.name", "value": ["stringValue": "ours"]]
        #expect(resource["resource"]?["attributes"]?.array?.contains(service) == true)
        let spans = try #require(resource["scopeSpans"]?.array?.first?["spans"]?.array)
        #expect(spans.count == 2 && spans.allSatisfy { $0["traceId"]?.string == Self.trace })
        #expect(spans[1]["parentSpanId"] == "b7ad6b7169203331" && spans[1]["kind"] == 3)
        #expect(spans[1]["spanId"]?.string?.count == 16 && spans[1]["spanId"] != spans[0]["spanId"])
        #expect(spans[1]["attributes"]?.array?.first?["value"]?["intValue"] == "1")
        #expect(spans[0]["status"]?["code"] == 2 && !asked[1].body.contains("0123456789"))
    }

    @Test("a collector that is away makes nobody wait, and what is too much is let go of")
    func away() async throws {
        let recorder = SpanRecorder(limit: 100)
        leave(1000, with: recorder)
        #expect(recorder.take(1000).count == 100)
        leave(10, with: recorder)
        // Nobody listens there.
        let isSent = await exporter(try settings("http://127.0.0.1:1"), recorder).flush()
        #expect(!isSent)
        #expect(recorder.take(10).isEmpty)
    }

    @Test("what belongs to no trace, or to one that nobody wants to see, leaves nothing")
    func unwanted() {
        let recorder = SpanRecorder()
        for header in [nil, "", "00-\(Self.trace)-b7ad6b7169203331-00", "garbage"] {
            #expect(recorder.begin("no", .internal, partOf: header) == nil)
        }
    }

    @Test("settings are those of OpenTelemetry, and off without an endpoint")
    func configuration() throws {
        var nothing = EnvironmentReader([:])
        let none = TraceSettings(&nothing)
        #expect(none == nil && nothing.problems.isEmpty)
        let given = try settings(
            "http://collector:4318/",
            ["OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc, x-tenant=1", "OTEL_TRACES_SAMPLER_ARG": "0.25"]
        )
        #expect(given.url == "http://collector:4318/v1/traces" && given.ratio == 0.25 && given.headers.count == 2)
        #expect(given.headers.first?.1 == "Bearer abc")
        var wrong = EnvironmentReader(["OTLP_ENDPOINT": "http://c", "OTEL_TRACES_SAMPLER_ARG": "2"])
        _ = TraceSettings(&wrong)
        #expect(wrong.problems.count == 1)
    }

    @Test("one trace leads from a command over its append and the steps of its saga to the calls outside")
    func chain() async throws {
        let trace = Self.trace
        let asked = try await ScriptedServer.with([.init(status: 200)]) { collector in
            let dev = try DevProcess()
            defer { dev.remove() }
            try await dev.run(environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": collector]) { running in
                let story = Story(running: running)
                let body: JSONValue = [
                    "organization": ["name": "Traced", "slug": "traced"], "priceId": "starter-monthly",
                ]
                let answer = try await story.client.post(
                    "/v1/onboarding",
                    body,
                    headers: ["traceparent": "00-\(trace)-b7ad6b7169203331-01"]
                )
                let operation = try #require(answer.json["operation"]?["id"]?.string)
                #expect(try await story.ended(operation) == "completed")
            }
        }
        let spans = asked.flatMap { request -> [JSONValue] in
            let body = (try? JSON.decode(JSONValue.self, from: request.body.utf8)) ?? .null
            return body["resourceSpans"]?.array?.first?["scopeSpans"]?.array?.first?["spans"]?.array ?? []
        }.filter { $0["traceId"]?.string == trace }
        let command = try #require(spans.first { $0["name"] == "POST /v1/onboarding" })
        #expect(command["parentSpanId"] == "b7ad6b7169203331" && command["kind"] == 2)
        let appends = spans.filter { $0["name"] == "append" }
        #expect(!appends.isEmpty && appends.allSatisfy { $0["parentSpanId"] == command["spanId"] })
        let steps = spans.filter { $0["name"]?.string?.hasPrefix("provision-instance/") == true }
        #expect(steps.count > 3 && steps.allSatisfy { $0["parentSpanId"] == command["spanId"] })
        let calls = spans.filter { $0["kind"] == 3 }
        let ids = Set(steps.compactMap { $0["spanId"]?.string })
        #expect(calls.count > 2 && calls.allSatisfy { ids.contains($0["parentSpanId"]?.string ?? "") })
    }
}
