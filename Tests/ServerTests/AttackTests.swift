import HTTPTypes
import Kernel
import NIOCore
import NIOPosix
@testable import Server
import Testing

@Suite("What is sent to break in")
struct AttackTests {
    @Test(
        "a path that climbs, hides its slashes or is no text leads nowhere",
        arguments: [
            "/audit/tile/../../etc/passwd", "/audit/tile/%2e%2e/%2e%2e/etc/passwd",
            "/audit/tile/..%2f..%2fetc%2fpasswd",
            "/v1/organizations/..%2fadmin%2freleases", "/v1/organizations/%2e%2e/admin/releases", "/v1/../livez",
            "/v1/%2e%2e/livez", "//livez", "/v1//me", "/livez/", "/livez%00", "/livez%ff", "/livez%2", "/livez;a=b",
            "/v1/me%2fapi-keys", "/LIVEZ",
        ]
    )
    func paths(path: String) async throws {
        let stage = try await Stage()
        for key in [nil, stage.ana, stage.operatorKey] {
            let reply = try await stage.send(.get, path, as: key)
            #expect([401, 404, 503].contains(reply.status.code), "\(reply.status) \(reply.text)")
            #expect(reply.headers[.contentType] == "application/problem+json")
        }
    }

    @Test("JSON that is deep, huge, or says one thing twice is refused, and nothing is changed")
    func bodies() async throws {
        let stage = try await Stage()
        let size = try await stage.size
        let deep = String(repeating: #"{"a":"#, count: 50_000)
        let cases: [(String, Int)] = [
            (String(repeating: "[", count: 100_000), 400), (deep, 400),
            (#"{"name":"# + String(repeating: "[", count: 100) + String(repeating: "]", count: 100) + "}", 400),
            (#"{"name":"Acme","slug":"acme","slug":"other"}"#, 400),
            (#"{"name":"Acme","slug":"acme","sl\u0075g":"other"}"#, 400),
            (#"{"name":"\#(String(repeating: "x", count: 300_000))","slug":"acme"}"#, 413),
            (#"{"name":"\#(String(repeating: "x", count: 200_000))","slug":"acme"}"#, 422),
            (#"{"name":"Acme","slug":"acme"} {}"#, 400), (#"{"name":1e999999999,"slug":"acme"}"#, 400),
            (#"{"name":"Acme","slug":"acme","owner":true}"#, 422), ("\u{FEFF}{}", 400),
        ]
        for (body, status) in cases {
            let reply = try await stage.send(.post, "/v1/organizations", as: stage.ana, body: body)
            let isRefused = Int(reply.status.code) == status || status == 400 && reply.status.code == 422
            #expect(isRefused, "\(body.prefix(60)): \(reply.text.prefix(300))")
        }
        #expect(try await stage.size == size)
    }

    /// Sends bytes as they are and gives back everything until the other side closes.
    private static func talk(_ port: Int, _ text: String) async throws -> String {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        var heard = ""
        do {
            heard = try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: text))
                var heard = ""
                for try await bytes in inbound { heard += String(buffer: bytes) }
                return heard
            }
        } catch ChannelError.ioOnClosedChannel {
            // The other side has closed it before all was written.
        }
        return heard
    }

    @Test("a head with a line break, a control character or two lengths in it gets nothing of it into an answer")
    func heads() async throws {
        var stage = try await Stage()
        // A body that is announced and does not come is not waited for.
        stage.settings.bodyWait = .milliseconds(500)
        stage.settings.headWait = .seconds(5)
        try await stage.serving { live in
            let port = try #require(live.base.split(separator: ":").last.flatMap { Int($0) })
            let heads = [
                "X-Request-ID: a\r\n Set-Cookie: evil=1", "X-Request-ID: a\rSet-Cookie: evil=1",
                "X-Request-ID: a\nSet-Cookie: evil=1", "X-Request-ID: a\u{0}evil", "X-Request-ID: a\u{1B}[31mevil",
                "X-Request-ID: evil\"}", "Traceparent: 00-evil", "Origin: https://evil.example",
                "Content-Length: 1\r\nContent-Length: 2", "Transfer-Encoding: chunked\r\nContent-Length: 3",
            ]
            for head in heads {
                let heard = try await Self.talk(
                    port,
                    "GET /livez HTTP/1.1\r\nHost: a\r\n\(head)\r\nConnection: close\r\n\r\n"
                )
                #expect(!heard.contains("evil"), "\(head.debugDescription): \(heard)")
                #expect(heard.components(of: "HTTP/1.1 ") <= 1, "\(head.debugDescription): \(heard)")
            }
            let split = try await Self.talk(
                port,
                "GET /auth/login?return_to=/%0d%0aevil:1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            )
            #expect(!split.contains("evil"))
        }
    }
}

extension String {
    fileprivate func components(of text: String) -> Int {
        split(separator: text, omittingEmptySubsequences: false).count - 1
    }
}
