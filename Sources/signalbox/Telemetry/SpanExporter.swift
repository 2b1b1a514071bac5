internal import Adapters
internal import AsyncHTTPClient
internal import Kernel
internal import Logging
internal import Metrics

/// Sends spans to a collector as OTLP over HTTP with JSON bodies, some hundred at a time.
///
/// A collector that is slow or away costs nobody anything but the spans themselves.
struct SpanExporter {
    let recorder: SpanRecorder
    private let caller: HTTPCaller
    private let settings: TraceSettings
    private let version: String
    private let logger: Logger
    private let period: Duration

    /// How many are sent at once.
    private static let batch = 512
    /// How often one batch is tried.
    private static let attempts = 3

    init(
        _ settings: TraceSettings,
        recorder: SpanRecorder,
        http: HTTPClient,
        version: String,
        logger: Logger,
        period: Duration = .seconds(1)
    ) {
        self.settings = settings
        self.recorder = recorder
        self.version = version
        self.logger = logger
        self.period = period
        caller = HTTPCaller(
            client: http,
            base: settings.url,
            headers: settings.headers + [("Content-Type", "application/json")],
            timeout: .seconds(5),
            bodyLimit: 1 << 16
        )
    }

    /// Sends what was kept, again and again, and once more when it is told to end.
    func run() async {
        var isWell = true
        while !Task.isCancelled {
            // Cancelled means that it is time for the last of them.
            try? await Task.sleep(for: isWell ? period : period * 5)
            // A task of its own is not cancelled with this one.
            let outcome = await Task { await flush() }.value
            if outcome != isWell {
                isWell = outcome
                if !isWell {
                    logger.warning("spans cannot be sent", metadata: ["collector": "\(settings.url)"])
                }
            }
        }
    }

    /// Sends everything that is kept.
    ///
    /// - Returns: Whether the collector took it all.
    func flush() async -> Bool {
        while true {
            let spans = recorder.take(Self.batch)
            guard !spans.isEmpty else { return true }
            guard await send(spans) else {
                SpanMeters.refused.increment(by: spans.count)
                return false
            }
            SpanMeters.sent.increment(by: spans.count)
        }
    }

    private func send(_ spans: [TraceSpan]) async -> Bool {
        guard let body = try? JSON.encode(document(spans)) else { return false }
        for attempt in 1...Self.attempts {
            do throws(HTTPFailure) {
                let status = try await caller.send(.post, "", body: body).status
                if (200..<300).contains(status) { return true }
                // What was wrong with it once is wrong with it again.
                guard [429, 502, 503, 504].contains(status) else { return false }
            } catch {
                logger.debug("a collector did not answer", metadata: ["error": "\(error)"])
            }
            guard attempt < Self.attempts, (try? await Task.sleep(for: period / 4 * attempt)) != nil else { break }
        }
        return false
    }

    private func document(_ spans: [TraceSpan]) -> JSONValue {
        [
            "resourceSpans": [
                [
                    "resource": [
                        "attributes": TraceSpan.attributes([
                            "service.name": .string(settings.service), "service.version": .string(version),
                        ])
                    ],
                    "scopeSpans": [
                        [
                            "scope": ["name": "signalbox", "version": .string(version)],
                            "spans": .array(spans.map(\.json)),
                        ]
                    ],
                ]
            ]
        ]
    }
}
