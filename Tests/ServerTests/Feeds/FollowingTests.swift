import Commands
import Domain
import HTTPTypes
import Hummingbird
import Kernel
import Logging
import Projections
@testable import Server
import SignalboxTestKit
import Synchronization
import Testing

@Suite("Following the log")
struct FollowingTests {
    /// The positions that were told, in order, without those of resets.
    private static func positions(_ text: String) -> [Int64] {
        text.split(separator: "\n\n").filter { !$0.contains("event: reset") }.compactMap { event in
            event.split(separator: "\n").first.flatMap { $0.hasPrefix("id: ") ? Int64($0.dropFirst(4)) : nil }
        }
    }

    /// Feeds from an API for as long as `body` runs.
    private static func feeding(_ api: API, _ body: @escaping @Sendable (Crowd) async throws -> Void) async throws {
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let (logger, crowd) = (quiet, Crowd(api: api))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await api.feeds.run(api.backend.events, heartbeat: api.settings.heartbeat, logger: logger) }
            let result = await Task { try await body(crowd) }.result
            crowd.leave()
            group.cancelAll()
            try await group.waitForAll()
            try result.get()
        }
    }

    @Test("who comes late gets the history and then what happens, each event once and in order")
    func joined() async throws {
        let stage = try await Stage()
        for number in 0..<5 { try await stage.onboard("early-\(number)") }
        try await Self.feeding(API(backend: stage.backend, settings: stage.settings, ids: .system)) { crowd in
            let readers = try await [0, 1, 7, try await stage.size].asyncMap { try await crowd.follow(after: $0) }
            for number in 0..<20 { try await stage.onboard("late-\(number)") }
            let late = try await crowd.follow(after: 3)
            for number in 20..<25 { try await stage.onboard("late-\(number)") }
            let size = try await stage.size
            for (reader, first) in zip(readers + [late], [0, 1, 7, size - 75, 3]) {
                try await eventually(within: .seconds(30)) { Self.positions(reader.text).last == size }
                #expect(Self.positions(reader.text).first.map { $0 - 1 } == first || first == size - 75)
                let told = Self.positions(reader.text)
                #expect(told == Array((told.first ?? 0)...size))
            }
        }
    }

    @Test("a slow reader keeps nothing but its place: it is told where it was, and comes back there")
    func slow() async throws {
        var stage = try await Stage()
        stage.settings.feedEvents = 8
        let (plane, settings) = (stage, stage.settings)
        try await Self.feeding(API(backend: plane.backend, settings: settings, ids: .system)) { crowd in
            let start = try await plane.size
            let reader = try await crowd.follow(after: start)
            let quick = try await crowd.follow(after: start)
            try await plane.onboard("first")
            try await eventually(within: .seconds(30)) { !Self.positions(reader.text).isEmpty }
            reader.stall(true)
            for number in 0..<10 {
                try await plane.onboard("more-\(number)")
                let size = try await plane.size
                try await eventually(within: .seconds(30)) { Self.positions(quick.text).last == size }
            }
            let size = try await plane.size
            reader.stall(false)
            try await eventually(within: .seconds(30)) { reader.hasEnded }
            let told = Self.positions(reader.text)
            let last = try #require(told.last)
            #expect(last < size && told == Array(start + 1...last))
            #expect(reader.text.hasSuffix("id: \(last)\nevent: reset\ndata: {\"position\":\(last)}\n\n"))
            let back = try await crowd.follow(after: last)
            try await eventually(within: .seconds(30)) { Self.positions(back.text).last == size }
            #expect(Self.positions(back.text) == Array(last + 1...size))
            #expect(!quick.hasEnded && !quick.text.contains("reset"))
        }
    }

    @Test("the log is read once at a time, and the history not at all, however many follow")
    func once() async throws {
        var stage = try await Stage()
        let count = Count()
        let events = stage.backend.events
        stage.backend.events.next = { wish, position, limit, patience throws(EventDoor.Failure) in
            count.change {
                $0.reading += 1; $0.most = max($0.most, $0.reading)
            }
            defer { count.change { $0.reading -= 1 } }
            return try await events.next(wish, position, limit, patience)
        }
        stage.backend.events.list = { wish, position, limit throws(EventDoor.Failure) in
            count.change { $0.other += 1 }
            return try await events.list(wish, position, limit)
        }
        let plane = stage
        try await Self.feeding(API(backend: plane.backend, settings: plane.settings, ids: .system)) { crowd in
            let start = try await plane.size
            let readers = try await (0..<200).asyncMap { _ in try await crowd.follow(after: start) }
            for number in 0..<5 { try await plane.onboard("acme-\(number)") }
            let size = try await plane.size
            for reader in readers {
                try await eventually(within: .seconds(30)) { Self.positions(reader.text).last == size }
                #expect(Self.positions(reader.text) == Array(start + 1...size))
            }
            #expect(count.value.most == 1 && count.value.other == 0)
        }
    }

    @Test("what an instance is now is asked once for all who look at it")
    func shared() async throws {
        var stage = try await Stage()
        let made = try await stage.onboard("acme")
        let instance = try #require(made.json["instance"]?["id"]?.string)
        let count = Count()
        let reads = stage.backend.reads
        stage.backend.reads.instance = { id throws(ReadError) in
            count.change { $0.other += 1 }
            return try await reads.instance(id)
        }
        let plane = stage
        try await Self.feeding(API(backend: plane.backend, settings: plane.settings, ids: .system)) { crowd in
            let readers = try await (0..<50).asyncMap { _ in try await crowd.look(at: instance, as: plane.anaID) }
            for reader in readers {
                try await eventually(within: .seconds(30)) { reader.text.contains("\"provisioning\"") }
            }
            let before = count.value.other
            _ = try await plane.send(.post, "/v1/instances/\(instance)/terminate", as: plane.ana, body: "{}")
            for reader in readers {
                try await eventually(within: .seconds(30)) { reader.text.contains("\"terminating\"") }
            }
            #expect(count.value.other - before < 10)
        }
    }

    @Test("a feed lasts as long as it may, and no longer")
    func life() async throws {
        var stage = try await Stage()
        stage.settings.feedLife = .zero
        let plane = stage
        try await Self.feeding(API(backend: plane.backend, settings: plane.settings, ids: .system)) { crowd in
            let reader = try await crowd.follow(after: 0)
            try await eventually(within: .seconds(30)) { reader.hasEnded }
            #expect(reader.text == "retry: 1000\n\n")
        }
    }
}

/// How often something was asked.
private final class Count: Sendable {
    struct Value {
        var (reading, most, other) = (0, 0, 0)
    }
    private let state = Mutex(Value())
    var value: Value { state.withLock { $0 } }
    func change(_ change: (inout sending Value) -> Void) { state.withLock { change(&$0) } }
}

/// Those who follow, without a network between.
private final class Crowd: Sendable {
    private let api: API
    private let tasks = Mutex<[Task<Void, Never>]>([])

    init(api: API) { self.api = api }

    func follow(after position: Int64) async throws -> Page {
        var call = Call.testing(.get, "/v1/events/stream")
        call.headers[.lastEventID] = String(position)
        return begin(try await api.eventStream(call, EventDoor.Wish()))
    }

    func look(at instance: String, as user: UserID) async throws -> Page {
        var call = Call.testing(.get, "/v1/instances/{instance}/stream")
        call.parameters = ["instance": instance]
        call.principal = Principal(.user(user))
        let route = api.feedRoutes.first { $0.name == "followInstance" }
        return begin(try await #require(route).handler(call))
    }

    func leave() { tasks.withLock { tasks in tasks.forEach { $0.cancel() } } }

    private func begin(_ answer: Answer) -> Page {
        let page = Page()
        guard case .events(let write) = answer.body else { return page }
        let task = Task {
            var sink = EventSink(page)
            try? await write(&sink)
            page.end()
        }
        tasks.withLock { $0.append(task) }
        return page
    }
}

/// What a reader has got, who may stop taking more for a while.
private final class Page: ResponseBodyWriter, Sendable {
    private let state = Mutex((text: "", isStalled: false, hasEnded: false))

    var text: String { state.withLock { $0.text } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }
    func stall(_ isStalled: Bool) { state.withLock { $0.isStalled = isStalled } }
    func end() { state.withLock { $0.hasEnded = true } }

    func write(_ buffer: ByteBuffer) async throws {
        state.withLock { $0.text += String(buffer: buffer) }
        while state.withLock({ $0.isStalled }) { try await Task.sleep(for: .milliseconds(2)) }
    }

    consuming func finish(_ trailers: HTTPFields?) async throws {}
}

extension Sequence where Self: Sendable, Element: Sendable {
    /// One after the other.
    fileprivate func asyncMap<Other>(_ transform: (Element) async throws -> Other) async rethrows -> [Other] {
        var all: [Other] = []
        for element in self { all.append(try await transform(element)) }
        return all
    }
}
