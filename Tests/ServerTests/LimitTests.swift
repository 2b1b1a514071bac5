import Commands
import HTTPTypes
import Kernel
import NIOCore
import NIOPosix
@testable import Server
import Synchronization
import Testing

@Suite("How much one may send")
struct LimitTests {
    private static let start = Timestamp(microseconds: 1_800_000_000_000_000)

    @Test("a bucket gives its quota at once, refuses the next, and fills with time")
    func bucket() {
        let limiter = RateLimiter(RateLimits(commands: 3, reads: 60))
        let shares = (0..<4).map { _ in limiter.take("user-1", .commands, at: Self.start) }
        #expect(shares.map(\.remaining) == [2, 1, 0, 0])
        #expect(shares.map(\.isRefused) == [false, false, false, true])
        #expect(shares.map(\.seconds) == [20, 40, 20, 20])
        #expect(shares[0].headers[.rateLimitPolicy] == "\"commands\";q=3;w=60")
        #expect(shares[0].headers[.rateLimit] == "\"commands\";r=2;t=20")
        let later = Self.start + .seconds(20)
        #expect(!limiter.take("user-1", .commands, at: later).isRefused)
        #expect(limiter.take("user-1", .commands, at: later).isRefused)
        #expect(!limiter.take("user-2", .commands, at: later).isRefused)
        #expect(limiter.take("user-1", .reads, at: later).remaining == 59)
    }

    @Test("a clock that is put back fills nothing, and one that leaps gives no more than the quota")
    func clock() {
        let limiter = RateLimiter(RateLimits(commands: 2, reads: 2))
        for _ in 0..<2 { _ = limiter.take("a", .commands, at: Self.start) }
        let before = Timestamp(microseconds: Self.start.microseconds - 3_600_000_000)
        #expect(limiter.take("a", .commands, at: before).isRefused)
        #expect(limiter.take("a", .commands, at: Self.start).isRefused)
        #expect(limiter.take("a", .commands, at: Self.start + .seconds(86_400)).remaining == 1)
    }

    @Test("names that are made up do not fill the memory")
    func bounded() {
        let limiter = RateLimiter(RateLimits(commands: 2, reads: 2), most: 10)
        for number in 0..<100 { #expect(!limiter.take("\(number)", .reads, at: Self.start).isRefused) }
    }

    @Test("who has sent too much is 429 with the time to come back, and nothing is changed; others go on")
    func refused() async throws {
        var stage = try await Stage()
        stage.settings.limits = RateLimits(commands: 1, reads: 100)
        let dispatcher = stage.dispatcher
        let first = try await stage.send(.post, "/v1/me/api-keys", as: stage.ana, body: "{}", through: dispatcher)
        #expect(first.status == .created && first.headers[.rateLimit]?.hasPrefix("\"commands\";r=0;t=") == true)
        let size = try await stage.size
        let second = try await stage.send(.post, "/v1/me/api-keys", as: stage.ana, body: "{}", through: dispatcher)
        #expect(second.status == .tooManyRequests)
        let wait = try #require(second.headers[.retryAfter].flatMap { Int($0) })
        #expect((1...60).contains(wait) && second.headers[.rateLimit] == "\"commands\";r=0;t=\(wait)")
        #expect(second.headers[.rateLimitPolicy] == "\"commands\";q=1;w=60")
        #expect(second.json["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded")
        #expect(second.json["violated-policies"] == ["commands"])
        #expect(try await stage.size == size)
        #expect(try await stage.send(.get, "/v1/me", as: stage.ana, through: dispatcher).status == .ok)
        let other = try await stage.send(.post, "/v1/me/api-keys", as: stage.bob, body: "{}", through: dispatcher)
        #expect(other.status == .created)
        #expect(try await stage.send(.get, "/livez", through: dispatcher).headers[.rateLimit] == nil)
    }

    @Test("without limits nothing is said of them")
    func unlimited() async throws {
        let stage = try await Stage()
        #expect(try await stage.send(.get, "/v1/me", as: stage.ana).headers[.rateLimitPolicy] == nil)
    }

    @Test(
        "a change that is refused to somebody is told with who, what and why; a read, a stranger and a success are not"
    )
    func refusals() async throws {
        var stage = try await Stage()
        let made = try await stage.onboard("acme")
        let id = try #require(made.json["organization"]?["id"]?.string)
        let box = Box()
        stage.backend.refusals.record = { box.add($0) }
        let dispatcher = stage.dispatcher
        let path = "/v1/organizations/\(id)"
        _ = try await stage.send(.get, path, as: stage.bob, through: dispatcher)
        _ = try await stage.send(.delete, path, through: dispatcher)
        _ = try await stage.send(.post, "/v1/me/api-keys", as: stage.bob, body: "{}", through: dispatcher)
        #expect(box.all.isEmpty)
        let headers: HTTPFields = [.requestID: "r-1"]
        _ = try await stage.send(.delete, path, as: stage.bob, headers: headers, through: dispatcher)
        _ = try await stage.send(.delete, path, as: stage.auditorKey, through: dispatcher)
        _ = try await stage.send(
            .post,
            "/v1/admin/organizations/\(id)/suspend",
            as: stage.ana,
            body: #"{"reason":"x"}"#,
            through: dispatcher
        )
        #expect(box.all.map(\.action) == ["deleteOrganization", "deleteOrganization", "suspendOrganization"])
        #expect(box.all.map(\.problem) == ["not-found", "forbidden", "forbidden"])
        #expect(box.all[0].principal == "user-\(stage.bobID)" && box.all[0].organizationID == id)
        #expect(box.all[0].requestID == "r-1" && box.all[2].principal == "user-\(stage.anaID)")
    }
}

/// What was told, in order.
private final class Box: Sendable {
    private let entries = Mutex<[RefusalDoor.Entry]>([])
    func add(_ entry: RefusalDoor.Entry) { entries.withLock { $0.append(entry) } }
    var all: [RefusalDoor.Entry] { entries.withLock { $0 } }
}

@Suite("Clients that dawdle")
struct SlowClientTests {
    /// Sends some bytes and then nothing, and gives back everything until the other side closes.
    private static func talk(_ port: Int, _ text: String) async throws -> String {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let heard = Mutex("")
        do {
            try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: text))
                for try await bytes in inbound { heard.withLock { $0 += String(buffer: bytes) } }
            }
        } catch ChannelError.ioOnClosedChannel {
            // The other side has closed it, which is what is waited for.
        }
        return heard.withLock { $0 }
    }

    @Test(
        "a head or a body that does not come to its end in time ends the connection, and so does silence",
        arguments: [
            "", "GET /livez HTTP/1.1\r\nHost: a\r\nX-A: b\r\n",
            "POST /v1/organizations HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
        ]
    )
    func slow(text: String) async throws {
        var stage = try await Stage()
        stage.settings.headWait = .milliseconds(100)
        stage.settings.bodyWait = .milliseconds(100)
        try await stage.serving { live in
            let port = try #require(live.base.split(separator: ":").last.flatMap { Int($0) })
            let heard = try await Self.talk(port, text)
            #expect(!heard.contains("200 OK"))
        }
    }

    @Test("an answered connection is kept for another request, for a while")
    func kept() async throws {
        var stage = try await Stage()
        stage.settings.headWait = .seconds(12)
        try await stage.serving { live in
            let port = try #require(live.base.split(separator: ":").last.flatMap { Int($0) })
            let request = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
            let heard = try await Self.talk(port, request + request)
            #expect(heard.split(separator: "200 OK").count == 3)
        }
    }
}
