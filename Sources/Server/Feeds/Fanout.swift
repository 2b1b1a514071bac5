internal import Kernel
internal import Logging
internal import Synchronization

/// The newest events of the log, read once for everybody who follows it.
///
/// It keeps one stretch of them, bounded in events and bytes; a reader has nothing here but a position. Who comes late
/// reads from the history until the stretch has what follows, and who falls behind it is told so and let go: however
/// many readers there are, and however slow, nothing is kept for one of them. Nothing is read while nobody follows.
final class Fanout: Sendable {
    /// How much is kept.
    struct Limits: Sendable {
        var events = 4096
        var bytes = 16 << 20
    }

    /// An event, and its JSON, which is made once.
    struct Item: Sendable {
        let event: EventView
        let json: [UInt8]
    }

    /// What a reader gets that asks for what follows its position.
    enum Taken: Sendable {
        /// Everything up to a position was looked at; `isRevoking` when somebody's right to read may have ended there.
        case items([Item], through: Int64, isRevoking: Bool)
        /// What follows the position is not kept any more.
        case gone
    }

    /// Why a reader was woken.
    enum News: Sendable, Equatable {
        /// Something happened after `since`, and nothing before it; `isRevoking` when somebody's right to read may have
        /// ended.
        case some(since: Int64, through: Int64, isRevoking: Bool)
        /// The time is over, and nothing happened up to this position.
        case silence(through: Int64)
        /// Nothing will come any more.
        case over
    }

    fileprivate struct Waiter {
        var continuation: CheckedContinuation<News, Never>
        var topics: [FeedTopic]
        var deadline: ContinuousClock.Instant
    }

    fileprivate struct State {
        var items: [Item] = []
        var bytes = 0
        /// Everything up to here has been read.
        var head: Int64 = 0
        var readers = 0
        var tickets = 0
        var waiting: [Int: Waiter] = [:]
        var ticketsByTopic: [FeedTopic: Set<Int>] = [:]
        var isOver = false

        /// Everything after this position is kept.
        var start: Int64 { head - Int64(items.count) }
    }

    private let state = Mutex(State())
    private let limits: Limits
    /// Rings when the first reader comes.
    private let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// How many wait now, and up to where the log was read.
    var standing: (waiting: Int, head: Int64) { state.withLock { ($0.waiting.count, $0.head) } }
}

/// Reading.
extension Fanout {
    /// Takes a reader in; whoever was taken in has to ``leave()``.
    ///
    /// - Parameter frontier: The end of the log, where reading begins when nobody else follows it.
    func join(at frontier: Int64) {
        let count = state.withLock { state in
            state.readers += 1
            if state.readers == 1 {
                (state.items, state.bytes, state.head) = ([], 0, frontier)
            }
            return state.readers
        }
        ServerMetrics.feedReaders(count)
        if count == 1 { arrival.yield() }
    }

    func leave() {
        let count = state.withLock { state in
            state.readers -= 1
            return state.readers
        }
        ServerMetrics.feedReaders(count)
    }

    /// What is wanted of the events after a position, as much of it as fits.
    func take(after position: Int64, _ wish: EventDoor.Wish, most: Int, bytes: Int) -> Taken {
        state.withLock { state in
            guard position >= state.start else { return .gone }
            var (items, size, revoking) = ([Item](), 0, false)
            guard position < state.head else { return .items([], through: position, isRevoking: false) }
            for item in state.items[Int(position - state.start)...] {
                if let organization = wish.organization, item.event.organization == organization {
                    revoking = revoking || FeedTopic.isRevoking(item.event)
                }
                guard wish.matches(item.event) else { continue }
                items.append(item)
                size += item.json.count
                if items.count >= most || size >= bytes {
                    return .items(items, through: item.event.position, isRevoking: revoking)
                }
            }
            return .items(items, through: state.head, isRevoking: revoking)
        }
    }

    /// Waits until something happens on one of the topics, or the time is over.
    func wait(after position: Int64, on topics: [FeedTopic], until deadline: ContinuousClock.Instant) async -> News {
        let ticket = state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let news: News? = state.withLock { state in
                    if state.isOver || Task.isCancelled { return .over }
                    if state.head > position { return .some(since: position, through: state.head, isRevoking: true) }
                    state.waiting[ticket] = Waiter(continuation: continuation, topics: topics, deadline: deadline)
                    for topic in topics { state.ticketsByTopic[topic, default: []].insert(ticket) }
                    return nil
                }
                if let news { continuation.resume(returning: news) }
            }
        } onCancel: {
            state.withLock { $0.remove(ticket) }?.continuation.resume(returning: .over)
        }
    }
}

/// Feeding.
extension Fanout {
    /// Reads the log for as long as somebody follows it, until the task is cancelled.
    func run(_ events: EventDoor, heartbeat: Duration, logger: Logger) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.feed(events, logger) }
            group.addTask { await self.watch(every: min(heartbeat / 4, .seconds(1))) }
        }
        close()
    }

    /// Tells all readers that nothing will come any more.
    func close() {
        let waiting = state.withLock { state in
            state.isOver = true
            return state.removeAll()
        }
        for waiter in waiting { waiter.continuation.resume(returning: .over) }
        arrival.finish()
    }

    private func feed(_ events: EventDoor, _ logger: Logger) async {
        for await _ in arrivals {
            while !Task.isCancelled, let position = followed {
                do throws(EventDoor.Failure) {
                    let slice = try await events.next(.init(), position, 500, .seconds(1))
                    publish(slice, after: position)
                } catch {
                    logger.warning("the log cannot be followed", metadata: ["error": "\(error)"])
                    // A log that broke a promise is not read on: whoever comes back learns what is wrong.
                    if case .broken = error { dismiss() }
                    try? await Task.sleep(for: .milliseconds(250))
                }
            }
        }
    }

    /// Where reading goes on; `nil` when nobody follows.
    private var followed: Int64? {
        state.withLock { $0.readers > 0 && !$0.isOver ? $0.head : nil }
    }

    /// Keeps a slice of the log and wakes those whom it concerns.
    func publish(_ slice: EventDoor.Slice, after position: Int64) {
        let items = slice.events.compactMap { event in
            (try? JSON.encode(event)).map { Item(event: event, json: $0) }
        }
        guard slice.scannedTo > position else { return }
        guard items.count == slice.events.count, Int64(items.count) == slice.scannedTo - position else {
            // Something is missing: nobody may go on as if it were not.
            return dismiss()
        }
        var topics: Set<FeedTopic> = []
        for event in slice.events { topics.formUnion(FeedTopic.all(of: event)) }
        let woken: [(Waiter, News)] = state.withLock { state in
            // Everybody has left meanwhile, and somebody else begun elsewhere.
            guard state.head == position else { return [] }
            // What is erased is not told from here any more, either.
            if slice.events.contains(where: { $0.type.hasPrefix("erasure.") }) {
                (state.items, state.bytes) = ([], 0)
            }
            state.items += items
            state.bytes += items.reduce(0) { $0 + $1.json.count }
            state.head = slice.scannedTo
            state.trim(to: limits)
            var tickets: Set<Int> = []
            for topic in topics { tickets.formUnion(state.ticketsByTopic[topic] ?? []) }
            let head = state.head
            return tickets.compactMap { ticket in
                state.remove(ticket).map { waiter in
                    let revoking = waiter.topics.contains { topic in
                        switch topic {
                        case .access: topics.contains(topic)
                        case .organization(let id): topics.contains(.access(id))
                        case .everything, .stream: false
                        }
                    }
                    return (waiter, .some(since: position, through: head, isRevoking: revoking))
                }
            }
        }
        for (waiter, news) in woken { waiter.continuation.resume(returning: news) }
    }

    /// Lets every reader go that waits now.
    private func dismiss() {
        let waiting = state.withLock { $0.removeAll() }
        for waiter in waiting { waiter.continuation.resume(returning: .over) }
    }

    /// Wakes those whose time is over.
    private func watch(every interval: Duration) async {
        while (try? await Task.sleep(for: interval)) != nil {
            let now = ContinuousClock.now
            let (late, head) = state.withLock { state in
                let tickets = state.waiting.filter { $0.value.deadline <= now }.keys
                return (tickets.compactMap { state.remove($0) }, state.head)
            }
            for waiter in late { waiter.continuation.resume(returning: .silence(through: head)) }
        }
    }
}

extension Fanout.State {
    fileprivate mutating func remove(_ ticket: Int) -> Fanout.Waiter? {
        guard let waiter = waiting.removeValue(forKey: ticket) else { return nil }
        for topic in waiter.topics {
            ticketsByTopic[topic]?.remove(ticket)
            if ticketsByTopic[topic]?.isEmpty == true { ticketsByTopic[topic] = nil }
        }
        return waiter
    }
    fileprivate mutating func removeAll() -> [Fanout.Waiter] {
        defer { (waiting, ticketsByTopic) = ([:], [:]) }
        return Array(waiting.values)
    }

    /// Forgets the oldest when there is too much, and a quarter more, so that it does not move everything each time.
    fileprivate mutating func trim(to limits: Fanout.Limits) {
        guard items.count > limits.events || bytes > limits.bytes else { return }
        var (dropped, size) = (0, bytes)
        while dropped < items.count, items.count - dropped > limits.events / 4 * 3 || size > limits.bytes / 4 * 3 {
            size -= items[dropped].json.count
            dropped += 1
        }
        items.removeFirst(dropped)
        bytes = size
    }
}
