import Kernel
import NIOCore
import Synchronization
import Testing

@testable import Adapters

@Suite("Calling addresses that others give")
struct WebhookCallerTests {
    @Test(
        "what only we can reach is not public, however it is written",
        arguments: [
            "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.0.9", "169.254.169.254", "172.16.0.1",
            "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9",
            "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
            "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::", "3fff::1", "5f00::1", "::127.0.0.1",
        ]
    )
    func special(text: String) throws {
        #expect(!PublicAddress.judges(try SocketAddress(ipAddress: text, port: 443)))
    }

    @Test(
        "what anybody can reach is",
        arguments: [
            "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.0.0.1", "128.0.0.1",
            "169.253.0.1", "172.15.0.1", "172.32.0.1", "192.167.0.1", "192.169.0.1", "198.17.0.1", "198.20.0.1",
            "223.255.255.255", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::", "2606:4700::1111", "2a00::1",
        ]
    )
    func open(text: String) throws {
        #expect(PublicAddress.judges(try SocketAddress(ipAddress: text, port: 443)))
    }

    @Test(
        "a name that stands for such an address is not called, nor one that stands for others too",
        arguments: [
            "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://[::1]/",
            "https://[::ffff:169.254.169.254]/latest/meta-data", "https://localhost/",
        ]
    )
    func refused(text: String) async throws {
        let address = try #require(WebAddress(text))
        let result = await WebhookCaller().post(address, headers: [], body: [])
        #expect(result == .failure(.forbiddenAddress))
    }

    @Test("a name that stands for a public and a private address is a trap")
    func mixed() async throws {
        let mixed = try ["93.184.216.34", "10.0.0.1"].map { try SocketAddress(ipAddress: $0, port: 443) }
        let caller = WebhookCaller(resolve: { _, _ in mixed })
        let address = try #require(WebAddress("https://hooks.example/"))
        #expect(await caller.post(address, headers: [], body: []) == .failure(.forbiddenAddress))
    }

    @Test("without TLS nothing is called, and what is unknown is said to be")
    func plain() async throws {
        let address = try #require(WebAddress("http://hooks.example/"))
        #expect(await WebhookCaller().post(address, headers: [], body: []) == .failure(.plain))
        let secure = try #require(WebAddress("https://hooks.example/"))
        let nobody = WebhookCaller(resolve: { _, _ in [] })
        #expect(await nobody.post(secure, headers: [], body: []) == .failure(.unknownHost))
    }

    @Test("the call goes to the address that was judged, asked for once; a redirect is an answer")
    func judged() async throws {
        let heard = Mutex<[Asked]>([])
        let times = Mutex(0)
        try await withService { asked in
            heard.withLock { $0.append(asked) }
            return Answer(status: 302, headers: ["Location": "http://127.0.0.1:1/", "Retry-After": "7"])
        } _: { base in
            let port = try #require(base.split(separator: ":").last.flatMap { Int($0) })
            let caller = WebhookCaller(
                allowsPrivate: true,
                resolve: { _, port in
                    // Another answer every time, as somebody has it who wants us to call something else.
                    let address = times.withLock {
                        $0 += 1; return $0 == 1 ? "127.0.0.1" : "192.0.2.1"
                    }
                    return [try? SocketAddress(ipAddress: address, port: port)].compactMap(\.self)
                }
            )
            let address = try #require(WebAddress("http://Hooks.invalid:\(port)/a?b=c"))
            let result = await caller.post(address, headers: [("webhook-id", "1")], body: Array("{}".utf8))
            #expect(result == .success(.init(status: 302, retryAfter: .seconds(7))))
            #expect(times.withLock { $0 } == 1)
        }
        let asked = heard.withLock { $0 }
        #expect(asked.map(\.path) == ["/a?b=c"] && asked.map(\.method) == ["POST"])
        #expect(asked.first?.headers["webhook-id"] == "1" && asked.first?.body == "{}")
    }

    @Test("who does not answer is not waited for any longer than the time")
    func silent() async throws {
        try await withService { _ in
            try await Task.sleep(for: .seconds(20))
            return Answer(status: 200)
        } _: { base in
            let caller = WebhookCaller(allowsPrivate: true, timeout: .milliseconds(200))
            let address = try #require(WebAddress(base))
            #expect(await caller.post(address, headers: [], body: []) == .failure(.timeout))
        }
    }

    @Test(
        "an address is one of http without user, fragment or anything that two readers read differently",
        arguments: [
            "", "https://", "ftp://a.example", "https://a@b.example", "https://a.example/#b", "https://a.example\\@b/",
            "https://a_b.example/", "https://a.example:0/", "https://a.example:70000/", "https://a.example:/",
            "https://a.example/\r\nX: y", "https://[::1", "https://[::1]x/", "https:///a", "https://ä.example/",
        ]
    )
    func addresses(text: String) {
        #expect(WebAddress(text) == nil)
    }
}
