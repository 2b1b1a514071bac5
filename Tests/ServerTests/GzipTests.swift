import AsyncHTTPClient
import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
@testable import Server
import Testing

@Suite("Packed answers")
struct GzipTests {
    private static let packed: HTTPFields = [.acceptEncoding: "gzip"]

    /// The answer with its bytes as they are on the wire.
    private func answer(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ headers: HTTPFields,
        _ stage: Stage,
        body: String = ""
    ) async throws -> (Answer, [UInt8]) {
        let answer = try await stage.answer(method, path, headers, body: body)
        guard case .bytes(let bytes, _) = answer.body else { return (answer, []) }
        return (answer, bytes)
    }

    @Test("have what the others have, in fewer bytes, and say so")
    func packs() async throws {
        let stage = try await Stage()
        let (plain, bytes) = try await answer(.get, "/openapi.json", [:], stage)
        let (short, packed) = try await answer(.get, "/openapi.json", Self.packed, stage)
        #expect(plain.headers[.contentEncoding] == nil && plain.headers[.vary] == "Accept-Encoding")
        #expect(short.headers[.contentEncoding] == "gzip" && short.headers[.vary] == "Accept-Encoding")
        #expect(packed.count * 4 < bytes.count)
        try await stage.serving { live in
            // Unpacked by code that is not ours.
            var configuration = HTTPClient.Configuration()
            configuration.decompression = .enabled(limit: .size(16 << 20))
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            let result = await Task {
                let reply = try await client.execute(.init(url: live.base + "/openapi.json"), timeout: .seconds(20))
                return (reply.headers.first(name: "Content-Encoding"), try await reply.body.collect(upTo: 16 << 20))
            }.result
            try await client.shutdown()
            let (coding, unpacked) = try result.get()
            #expect(coding == "gzip" && Array(unpacked.readableBytesView) == bytes)
        }
    }

    @Test(
        "are for who takes them",
        arguments: [
            ("gzip", true), ("br, gzip;q=0.5", true), ("*", true), ("GZIP;q=1.0", true), ("x-gzip", true),
            ("", false), ("br", false), ("gzip;q=0", false), ("gzip;q=0, *", false), ("identity, gzip;q=0.5", false),
            ("gzip;q=nonsense", false), ("identity;q=0.5, gzip", true),
        ]
    )
    func negotiated(accepted: String, expected: Bool) {
        #expect(Gzip.isWanted(by: [.acceptEncoding: accepted]) == expected)
    }

    @Test("are none of feeds, of what is short, of what is no text, nor of what a command answers")
    func excluded() async throws {
        let stage = try await Stage()
        for path in ["/livez", "/v1/nothing"] {
            let (short, _) = try await answer(.get, path, Self.packed, stage)
            #expect(short.headers[.contentEncoding] == nil && short.headers[.vary] == nil, "\(path)")
        }
        let long = [UInt8](repeating: 0x41, count: 5000)
        for (method, body, isPacked) in [
            (HTTPRequest.Method.get, Answer.Body.bytes(long, type: "application/json"), true),
            (.head, .bytes(long, type: "text/html; charset=utf-8"), true),
            (.post, .bytes(long, type: "application/json"), false),
            (.get, .bytes(long, type: "application/octet-stream"), false),
            (.get, .bytes(Array(long.prefix(1023)), type: "application/json"), false),
            (.get, .events { _ in }, false),
        ] {
            var answer = Answer(body: body)
            answer.pack(for: method, Self.packed)
            #expect((answer.headers[.contentEncoding] == "gzip") == isPacked)
        }
    }

    @Test("are none for a page of another site that has a browser send its cookies")
    func foreign() {
        for (site, isPacked) in [("cross-site", false), ("same-site", false), ("same-origin", true), ("none", true)] {
            var answer = Answer(body: .bytes([UInt8](repeating: 0x41, count: 5000), type: "application/json"))
            answer.pack(for: .get, [.acceptEncoding: "gzip", .cookie: "session=1", .fetchSite: site])
            #expect((answer.headers[.contentEncoding] == "gzip") == isPacked, "\(site)")
        }
    }

    @Test("have a tag of their own, which means the same version")
    func tags() async throws {
        var answer = Answer(
            headers: [.eTag: "\"7\"", .vary: "Origin"],
            body: .bytes([UInt8](repeating: 0x41, count: 5000), type: "application/json")
        )
        answer.pack(for: .get, Self.packed)
        #expect(answer.headers[.eTag] == "\"7-gzip\"" && answer.headers[.vary] == "Origin, Accept-Encoding")

        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let id = try #require(made.json["organization"]?["id"]?.string)
        let renamed = try await stage.send(
            .patch,
            "/v1/organizations/\(id)",
            as: stage.ana,
            headers: [.ifMatch: "\"1-gzip\""],
            body: #"{"name":"Other"}"#
        )
        #expect(renamed.status == .ok, "\(renamed.text)")
        let stale = try await stage.send(
            .patch,
            "/v1/organizations/\(id)",
            as: stage.ana,
            headers: [.ifMatch: "\"1-gzip\""],
            body: #"{"name":"Third"}"#
        )
        #expect(stale.status == .preconditionFailed)
    }

    @Test("of files are packed once, and revalidated by their own tag")
    func files() async throws {
        var stage = try await Stage()
        stage.settings.files = StaticFiles([
            "index.html": "<p>page", "app.js": String(repeating: "go();", count: 1000),
        ])
        let (file, bytes) = try await answer(.get, "/app.js", Self.packed, stage)
        let tag = try #require(file.headers[.eTag])
        #expect(file.headers[.contentEncoding] == "gzip" && bytes.count < 1000 && tag.hasSuffix("-gzip\""))
        var again = Self.packed
        again[.ifNoneMatch] = tag
        let (same, none) = try await answer(.get, "/app.js", again, stage)
        #expect(same.status == .notModified && none.isEmpty && same.headers[.eTag] == tag)
        #expect(same.headers[.vary] == "Accept-Encoding")
        let (plain, _) = try await answer(.get, "/app.js", [.ifNoneMatch: tag], stage)
        #expect(plain.status == .notModified)
    }
}

extension Stage {
    /// What is answered, before it is written.
    func answer(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ headers: HTTPFields,
        body: String = ""
    ) async throws -> Answer {
        let head = HTTPRequest(method: method, scheme: "http", authority: "test", path: path, headerFields: headers)
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body)))
        return try await dispatcher.answer(to: request, logger: quiet)
    }
}
