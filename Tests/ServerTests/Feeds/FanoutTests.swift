import HTTPTypes
import Kernel
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
@testable import Server
import SignalboxTestKit
import Testing

@Suite("One reading of the log for all who follow it")
struct FanoutTests {
    private static let acme = OrganizationID(at: IDSource.system.now(), random: 1)
    private static let other = OrganizationID(at: IDSource.system.now(), random: 2)

    /// A slice of one event.
    private static func slice(
        _ position: Int64,
        of organization: OrganizationID?,
        _ type: String = "instance.running"
    ) -> EventDoor.Slice {
        let id = IDSource.system.unique()
        let event = EventView(
            position: position,
            id: id,
            stream: "instance-\(organization?.description ?? "0")",
            version: position,
            type: type,
            schemaVersion: 1,
            recordedAt: IDSource.system.now(),
            organization: organization,
            actor: "system",
            command: id,
            cause: nil,
            correlation: id,
            data: .object([:]),
            metadata: .object([:])
        )
        return EventDoor.Slice(events: [event], scannedTo: position)
    }

    private static func positions(_ taken: Fanout.Taken) -> [Int64]? {
        guard case .items(let items, _, _) = taken else { return nil }
        return items.map(\.event.position)
    }

    private static let never = ContinuousClock.now + .seconds(3600)

    @Test("a reader is woken for what it follows alone, and misses nothing however much passed it by")
    func topics() async throws {
        let feeds = Fanout(limits: .init(events: 8))
        feeds.join(at: 0)
        let wish = EventDoor.Wish(organization: Self.acme)
        async let news = feeds.wait(after: 0, on: wish.topics, until: Self.never)
        try await eventually { feeds.standing.waiting == 1 }
        for position in 1...40 {
            feeds.publish(Self.slice(Int64(position), of: Self.other), after: Int64(position) - 1)
        }
        #expect(feeds.standing.waiting == 1)
        feeds.publish(Self.slice(41, of: Self.acme), after: 40)
        #expect(await news == .some(since: 40, through: 41, isRevoking: false))
        #expect(Self.positions(feeds.take(after: 40, wish, most: 10, bytes: 1 << 20)) == [41])
    }

    @Test("what may end somebody's right is told apart, to who follows the organization or something in it")
    func rights() async throws {
        let feeds = Fanout()
        feeds.join(at: 0)
        async let whole = feeds.wait(after: 0, on: [.organization(Self.acme)], until: Self.never)
        async let part = feeds.wait(after: 0, on: [.stream("saga-x.1"), .access(Self.acme)], until: Self.never)
        async let all = feeds.wait(after: 0, on: [.everything], until: Self.never)
        try await eventually { feeds.standing.waiting == 3 }
        feeds.publish(Self.slice(1, of: Self.acme, "organization.member-removed"), after: 0)
        let told = await [whole, part, all]
        let revoking = Fanout.News.some(since: 0, through: 1, isRevoking: true)
        #expect(told == [revoking, revoking, .some(since: 0, through: 1, isRevoking: false)])
    }

    @Test("who falls behind what is kept is told so; what is kept is bounded in events and bytes")
    func behind() {
        for limits in [Fanout.Limits(events: 8), Fanout.Limits(bytes: 4000)] {
            let feeds = Fanout(limits: limits)
            feeds.join(at: 0)
            for position in 1...40 {
                feeds.publish(Self.slice(Int64(position), of: Self.acme), after: Int64(position) - 1)
            }
            #expect(Self.positions(feeds.take(after: 10, .init(), most: 10, bytes: 1 << 20)) == nil)
            #expect(Self.positions(feeds.take(after: 38, .init(), most: 10, bytes: 1 << 20)) == [39, 40])
        }
    }

    @Test("one answer has no more events or bytes than were asked for, and the next goes on after it")
    func portions() {
        let feeds = Fanout()
        feeds.join(at: 0)
        for position in 1...9 { feeds.publish(Self.slice(Int64(position), of: Self.acme), after: Int64(position) - 1) }
        #expect(Self.positions(feeds.take(after: 0, .init(), most: 4, bytes: 1 << 20)) == [1, 2, 3, 4])
        #expect(Self.positions(feeds.take(after: 4, .init(), most: 9, bytes: 1)) == [5])
        #expect(Self.positions(feeds.take(after: 9, .init(), most: 9, bytes: 1)) == [])
    }

    @Test("what was erased is not told from what is kept")
    func erased() {
        let feeds = Fanout()
        feeds.join(at: 0)
        for position in 1...5 { feeds.publish(Self.slice(Int64(position), of: Self.acme), after: Int64(position) - 1) }
        feeds.publish(Self.slice(6, of: nil, "erasure.payload-erased"), after: 5)
        #expect(Self.positions(feeds.take(after: 2, .init(), most: 9, bytes: 1 << 20)) == nil)
        #expect(Self.positions(feeds.take(after: 5, .init(), most: 9, bytes: 1 << 20)) == [6])
    }

    @Test("a slice with a hole ends the feeds instead of being told")
    func hole() async throws {
        let feeds = Fanout()
        feeds.join(at: 0)
        async let news = feeds.wait(after: 0, on: [.everything], until: Self.never)
        try await eventually { feeds.standing.waiting == 1 }
        var slice = Self.slice(1, of: Self.acme)
        slice.scannedTo = 2
        feeds.publish(slice, after: 0)
        #expect(await news == .over)
        #expect(feeds.standing.head == 0)
    }

    @Test("who follows again begins where the log is, not where the last one stopped")
    func again() {
        let feeds = Fanout()
        feeds.join(at: 0)
        feeds.publish(Self.slice(1, of: Self.acme), after: 0)
        feeds.leave()
        feeds.join(at: 100)
        // What was read for those who left is not put in the place of something else.
        feeds.publish(Self.slice(2, of: Self.acme), after: 1)
        #expect(feeds.standing.head == 100)
        #expect(Self.positions(feeds.take(after: 0, .init(), most: 9, bytes: 1 << 20)) == nil)
    }

    @Test("a connection whose client takes nothing is closed, one that takes something now and then is not")
    func deadline() throws {
        let channel = EmbeddedChannel(handlers: [Hold(), WriteDeadline(.seconds(30))])
        try channel.connect(to: .init(ipAddress: "127.0.0.1", port: 1)).wait()
        let hold = try channel.pipeline.syncOperations.handler(type: Hold.self)
        let part = HTTPResponsePart.body(ByteBuffer(string: "x"))
        for _ in 0..<3 {
            channel.write(part, promise: nil)
            channel.write(part, promise: nil)
            channel.embeddedEventLoop.advanceTime(by: .seconds(20))
            hold.take()
            channel.embeddedEventLoop.advanceTime(by: .seconds(20))
            hold.take()
            #expect(channel.isActive)
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(300))
        #expect(channel.isActive)
        channel.write(part, promise: nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(61))
        #expect(!channel.isActive)
    }
}

/// Keeps what is written, as a client does that takes nothing.
private final class Hold: ChannelOutboundHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var promises: [EventLoopPromise<Void>] = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if let promise { promises.append(promise) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        while !promises.isEmpty { take() }
        context.close(mode: mode, promise: promise)
    }

    /// Takes the oldest.
    func take() { promises.removeFirst().succeed() }
}
