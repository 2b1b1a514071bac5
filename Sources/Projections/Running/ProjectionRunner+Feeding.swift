internal import EventStore
internal import Kernel
internal import Logging
internal import Metrics
internal import Postgres

extension ProjectionRunner {
    /// Feeds the slices of a build that this process holds, for as long as it holds one.
    func keepFeeding<P: Projection>(_ projection: P.Type, _ build: Build) async {
        var logger = logger
        logger[metadataKey: "projection"] = "\(P.name)"
        let gauges = Gauges(projection: P.name)
        var pause = Pause()
        while !Task.isCancelled {
            let heard = holdings.changes.count
            let items = holdings.slices(of: build)
            if items.isEmpty {
                if holdings.end(build) { return }
                continue
            }
            do {
                var slices = try await adopt(build, items)
                if slices.positions.isEmpty { continue }
                let frontier = try await log.frontier()
                if let beyond = slices.positions.values.max(), beyond > frontier {
                    throw LogError.violated(
                        "\(beyond) is folded, but the log ends at \(frontier): was an older one restored?"
                    )
                }
                while holdings.slices(of: build) == items {
                    guard let page = try await next(for: P.self, slices, unlessChanged: heard) else { break }
                    if slices.behind.first == 0, try await mustForget(page, build, P.self) {
                        logger.notice("a payload was erased; everything is folded anew")
                        guard try await foldAnew(projection, build, fence: slices.fences[0] ?? 0) else { break }
                        slices = try await adopt(build, items)
                        continue
                    }
                    let now = slices
                    let fed = try await pool.with { connection throws(PostgresError) in
                        try connection.feed(P.self, now, page)
                    }
                    guard case .done(let changed, let blocked) = fed else { break }
                    slices.move(to: page.scannedTo)
                    pause.reset()
                    gauges.record(
                        position: slices.lowest,
                        events: page.events.count,
                        rows: changed,
                        blocked: blocked
                    )
                    if blocked > 0 { logger.error("an event cannot be folded; its organization is blocked") }
                }
            } catch LogError.violated(let what) {
                gauges.violations.increment()
                logger.critical("the log broke a promise; feeding stops", metadata: ["what": "\(what)"])
                await rest()
            } catch is CancellationError {
                return
            } catch {
                if Task.isCancelled { return }
                logger.warning("feeding is interrupted", metadata: ["error": "\(error)"])
                await pause.wait()
            }
        }
    }

    /// Takes slices over from whoever had them before; what somebody newer has is let go of.
    private func adopt(_ build: Build, _ items: [Int: WorkItem]) async throws -> HeldSlices {
        let fences = items.mapValues(\.fence)
        let (slices, isThere) = try await pool.with { connection throws(PostgresError) in
            (try connection.adopt(build, fences), try !connection.positions(of: build, locking: false).isEmpty)
        }
        let lost = items.filter { slices.positions[$0.key] == nil }.map(\.value)
        holdings.drop(lost)
        for item in lost {
            // The leased work of a build that was dropped ends; other work may be claimed again, with a newer fence. A
            // lease that is gone needs neither.
            if isThere { try? await work.release(item) } else { try? await update(item, "superseded") }
        }
        return slices
    }

    /// The next page for the slices that are furthest behind, checked against the promise that nothing is ever skipped.
    ///
    /// - Returns: `nil` when slices came or went while it was waited for.
    private func next<P: Projection>(
        for _: P.Type,
        _ slices: HeldSlices,
        unlessChanged heard: Int
    ) async throws -> EventPage? {
        let filter = Self.filter(for: P.self)
        let position = slices.lowest
        let page: EventPage
        if let end = slices.second {
            // Those that are behind catch up with the others, and are fed with them from there.
            page = try await log.read(after: position, through: end, matching: filter, limit: settings.pageLimit)
        } else {
            let (feed, limit, changes) = (feed, settings.pageLimit, holdings.changes)
            let found = try await withThrowingTaskGroup(of: EventPage?.self) { group in
                group.addTask { try await feed(position, filter, limit) }
                group.addTask {
                    await changes.wait(after: heard, atMost: .seconds(3600))
                    return nil
                }
                let first = try await group.next() ?? nil
                group.cancelAll()
                return first
            }
            guard let found else { return nil }
            page = found
        }
        try page.check(after: position, for: .projection)
        return page
    }

    /// Keeps the slices from being tried again at once.
    private func rest() async {
        // Cancelled early: the leases are given back then.
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
