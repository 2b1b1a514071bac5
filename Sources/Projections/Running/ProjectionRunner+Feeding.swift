internal import EventStore
internal import Kernel
internal import Logging
internal import Metrics
internal import Postgres

extension ProjectionRunner {
    /// Feeds one slice until it is lost to another process, the log breaks a promise, or the task is cancelled.
    func keepFeeding<P: Projection>(_ projection: P.Type, _ slice: Slice) async {
        var logger = logger
        logger[metadataKey: "projection"] = "\(P.name)"
        let gauges = Gauges(projection: P.name)
        var pause = Pause()
        while !Task.isCancelled {
            do {
                guard
                    var position = try await pool.with({ connection throws(PostgresError) in try connection.adopt(slice)
                    })
                else { return }
                let frontier = try await log.frontier()
                guard position <= frontier else {
                    throw LogError.violated(
                        "\(position) is folded, but the log ends at \(frontier): was an older one restored?"
                    )
                }
                while true {
                    let page = try await next(after: position, for: P.self)
                    let from = position
                    if Self.forgets(page, since: position, P.self) {
                        logger.notice("a payload was erased; everything is folded anew")
                        guard let end = try await foldAnew(projection, slice, from: position) else { return }
                        position = end
                        continue
                    }
                    let fed = try await pool.with { connection throws(PostgresError) in
                        try connection.feed(P.self, slice, page, from: from)
                    }
                    guard case .done(let changed, let blocked) = fed else { return }
                    position = page.scannedTo
                    pause.reset()
                    gauges.record(position: position, events: page.events.count, rows: changed, blocked: blocked)
                    if blocked > 0 { logger.error("an event cannot be folded; its organization is blocked") }
                }
            } catch LogError.violated(let what) {
                gauges.violations.increment()
                logger.critical("the log broke a promise; feeding stops", metadata: ["what": "\(what)"])
                return await rest()
            } catch is CancellationError {
                return
            } catch {
                if Task.isCancelled { return }
                logger.warning("feeding is interrupted", metadata: ["error": "\(error)"])
                await pause.wait()
            }
        }
    }

    /// The next page, checked against the promise that nothing is ever skipped.
    private func next<P: Projection>(after position: Int64, for projection: P.Type) async throws -> EventPage {
        let page = try await feed(position, Self.filter(for: P.self), settings.pageLimit)
        try page.check(after: position, for: .projection)
        return page
    }

    /// Keeps the slice from being tried again at once.
    private func rest() async {
        // Cancelled early: the lease is given back then.
        try? await Task.sleep(for: .seconds(30))
    }
}

/// What the feeding of one projection tells.
private struct Gauges {
    let violations: Counter
    private let position: Gauge
    private let events: Counter
    private let rows: Counter
    private let blocked: Counter

    init(projection: String) {
        let labels = [("projection", projection)]
        violations = Counter(label: "signalbox_projection_violations_total", dimensions: labels)
        position = Gauge(label: "signalbox_projection_position", dimensions: labels)
        events = Counter(label: "signalbox_projection_events_total", dimensions: labels)
        rows = Counter(label: "signalbox_projection_rows_total", dimensions: labels)
        blocked = Counter(label: "signalbox_projection_blocked_total", dimensions: labels)
    }

    func record(position: Int64, events: Int, rows: Int, blocked: Int) {
        self.position.record(position)
        self.events.increment(by: events)
        self.rows.increment(by: rows)
        self.blocked.increment(by: blocked)
    }
}
