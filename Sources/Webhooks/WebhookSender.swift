package import Domain
package import EventStore
package import Kernel
package import Logging
internal import Metrics
internal import Postgres
internal import Synchronization

/// What somebody who was called answered.
package struct WebhookAnswer: Sendable, Equatable {
    package var status: Int
    /// How long they want to be left alone.
    package var retryAfter: Duration?

    package init(status: Int, retryAfter: Duration? = nil) {
        (self.status, self.retryAfter) = (status, retryAfter)
    }
}

/// Why there was no answer, in words for who owns the webhook.
package struct WebhookFailure: Error, Equatable {
    package var problem: String
    package init(_ problem: String) { self.problem = problem }
}

/// Calls webhooks: claims what is due, signs it, sends it, and notes what became of it.
///
/// Who dies between sending and noting has it sent again by another, with the same `webhook-id`.
package struct WebhookSender: Sendable {
    /// Sends a body to an address, within a time of its own.
    package typealias Post =
        @Sendable (WebAddress, [(String, String)], [UInt8]) async -> Result<WebhookAnswer, WebhookFailure>

    /// What the sender asks of the rest of the plane.
    package struct Ports: Sendable {
        package var post: Post
        /// The event at a position, as CloudEvents has it; `nil` when the log cannot be asked.
        package var body: @Sendable (Int64) async -> [UInt8]?
        /// Opens a secret; `nil` inside when nobody can any more.
        package var open: @Sendable (Sealed) async -> Result<String?, WebhookFailure>
        /// Has a webhook not called any more, because of what is said.
        package var disable: @Sendable (OrganizationID, UniqueID, String) async -> Bool

        package init(
            post: @escaping Post,
            body: @escaping @Sendable (Int64) async -> [UInt8]?,
            open: @escaping @Sendable (Sealed) async -> Result<String?, WebhookFailure>,
            disable: @escaping @Sendable (OrganizationID, UniqueID, String) async -> Bool
        ) {
            (self.post, self.body, self.open, self.disable) = (post, body, open, disable)
        }
    }

    /// How patient it is.
    package struct Settings: Sendable {
        /// How long after the attempt before each next one is made; after the last the webhook is disabled.
        package var schedule: [Duration]
        /// How long a claim lasts; longer than a call may take.
        package var lease: Duration
        /// How many calls at the same time.
        package var parallel: Int
        /// How long what ended is kept.
        package var kept: Duration

        package init(
            schedule: [Duration] = [
                .seconds(5), .seconds(300), .seconds(1800), .seconds(7200), .seconds(18_000), .seconds(36_000),
                .seconds(50_400), .seconds(72_000), .seconds(86_400),
            ],
            lease: Duration = .seconds(60),
            parallel: Int = 32,
            kept: Duration = .seconds(30 * 86_400)
        ) {
            (self.schedule, self.lease, self.parallel, self.kept) = (schedule, lease, parallel, kept)
        }
    }

    private let store: WebhookStore
    private let ports: Ports
    private let settings: Settings
    private let wake: Bell
    private let ids: IDSource
    private let logger: Logger

    /// Makes a sender; nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - store: Where deliveries are kept.
    ///   - ports: What it asks of the rest of the plane.
    ///   - settings: How patient it is.
    ///   - wake: Rings when there is something to deliver.
    ///   - ids: Time and chance.
    ///   - logger: For operators.
    package init(
        store: WebhookStore,
        ports: Ports,
        settings: Settings = Settings(),
        wake: Bell,
        ids: IDSource = .system,
        logger: Logger = Logger(label: "signalbox.webhooks")
    ) {
        (self.store, self.ports, self.settings, self.wake) = (store, ports, settings, wake)
        (self.ids, self.logger) = (ids, logger)
    }

    /// Delivers until it is cancelled.
    package func run() async {
        let running = Running()
        // Told as zero before the first call.
        for outcome in ["delivered", "again", "failed"] { Self.calls(outcome).increment(by: 0) }
        await withDiscardingTaskGroup { group in
            group.addTask { await prune() }
            while !Task.isCancelled {
                let heard = wake.count
                let free = settings.parallel - running.count
                let due = free > 0 ? await claim(free) : []
                for delivery in due {
                    running.add(1)
                    group.addTask {
                        await deliver(delivery)
                        running.add(-1)
                        wake.ring()
                    }
                }
                if due.isEmpty { await wake.wait(after: heard, atMost: .seconds(1)) }
            }
            group.cancelAll()
        }
    }

    /// Delivers what is due, once.
    ///
    /// - Returns: How many were tried.
    @discardableResult
    package func turn() async -> Int {
        let due = await claim(settings.parallel)
        await withDiscardingTaskGroup { group in
            for delivery in due { group.addTask { await deliver(delivery) } }
        }
        return due.count
    }

    func claim(_ limit: Int) async -> [WebhookStore.Claimed] {
        do throws(PostgresError) {
            return try await store.claim(limit, for: settings.lease)
        } catch {
            logger.warning("no webhook can be called", metadata: ["error": "\(error)"])
            return []
        }
    }

    private func deliver(_ delivery: WebhookStore.Claimed) async {
        let result = await call(delivery)
        // Stopped while it was under way: whoever comes next tries again.
        if Task.isCancelled, case .failure = result { return }
        let (outcome, answered, problem) = judge(result, after: delivery.attempts)
        if outcome == .failed {
            let reason = answered == 410 ? "the receiver says that it is gone" : "it did not answer well for too long"
            // First the fact, then the note: when this is lost it is tried again, and found out again.
            guard await ports.disable(delivery.organization, delivery.webhook, reason) else { return }
        }
        Self.count(outcome)
        do throws(PostgresError) {
            try await store.settle(delivery, outcome, answered: answered, problem: problem)
        } catch {
            logger.warning("what became of a delivery cannot be noted", metadata: ["error": "\(error)"])
        }
    }

    private func call(_ delivery: WebhookStore.Claimed) async -> Result<WebhookAnswer, WebhookFailure> {
        guard let address = WebAddress(delivery.url) else { return .failure(.init("the address is none")) }
        guard let body = await ports.body(delivery.position) else { return .failure(.init("the event cannot be read")) }
        var secrets: [String] = []
        for text in delivery.secrets {
            guard let sealed = try? JSON.decode(Sealed.self, from: Array(text.utf8)) else { continue }
            switch await ports.open(sealed) {
            case .success(let secret): if let secret { secrets.append(secret) }
            case .failure(let failure): return .failure(failure)
            }
        }
        // Nothing goes out that nobody can check.
        guard !secrets.isEmpty else { return .failure(.init("there is no secret to sign with")) }
        let headers = WebhookSignature.headers(
            id: delivery.event.description,
            seconds: ids.now().microseconds / 1_000_000,
            body: body,
            secrets: secrets
        )
        return await ports.post(
            address,
            [("content-type", "application/cloudevents+json"), ("user-agent", "signalbox")] + headers,
            body
        )
    }

    /// What comes of an answer: only 2xx is good, and a redirect is none.
    private func judge(
        _ result: Result<WebhookAnswer, WebhookFailure>,
        after attempts: Int
    ) -> (WebhookStore.Outcome, Int?, String?) {
        switch result {
        case .success(let answer) where (200..<300).contains(answer.status): return (.delivered, answer.status, nil)
        case .success(let answer) where answer.status == 410: return (.failed, 410, "gone")
        case .success(let answer):
            let again = next(after: attempts, atLeast: [429, 503].contains(answer.status) ? answer.retryAfter : nil)
            return (again, answer.status, "answered \(answer.status)")
        case .failure(let failure): return (next(after: attempts, atLeast: nil), nil, failure.problem)
        }
    }

    private func next(after attempts: Int, atLeast wish: Duration?) -> WebhookStore.Outcome {
        guard attempts <= settings.schedule.count else { return .failed }
        let span = settings.schedule[max(0, attempts - 1)]
        // A tenth more or less, so that those who failed together do not come back together.
        let jitter = span / 10 * (Double(ids.random() >> 11) / Double(1 << 53))
        return .again(after: max(span + jitter, wish ?? .zero))
    }

    private func prune() async {
        while !Task.isCancelled {
            try? await store.prune(after: settings.kept)
            try? await Task.sleep(for: .seconds(3600))
        }
    }

    private static func count(_ outcome: WebhookStore.Outcome) {
        let name =
            switch outcome {
            case .delivered: "delivered"
            case .again: "again"
            case .failed: "failed"
            }
        calls(name).increment()
    }

    private static func calls(_ outcome: String) -> Counter {
        Counter(label: "signalbox_webhook_calls_total", dimensions: [("outcome", outcome)])
    }
}

/// How many calls are under way.
private final class Running: Sendable {
    private let state = Mutex(0)
    var count: Int { state.withLock { $0 } }
    func add(_ number: Int) { state.withLock { $0 += number } }
}
