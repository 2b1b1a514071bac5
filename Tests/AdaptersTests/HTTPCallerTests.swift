import Adapters
import Kernel
import Platform
import Testing

@testable import Adapters

@Suite("HTTP caller")
struct HTTPCallerTests {
    @Test("sends what it is given, and reads the whole answer whatever its status")
    func exchange() async throws {
        let answer = try await withService { asked in
            .json(
                [
                    "path": .string(asked.path), "method": .string(asked.method),
                    "token": .string(asked.headers["x-token"] ?? ""), "body": .string(asked.body),
                ],
                status: 418,
                headers: ["Retry-After": "7"]
            )
        } _: { base in
            let caller = HTTPCaller(client: OutboundClient.shared, base: base + "/", headers: [("X-Token", "t")])
            let path = "/a/" + HTTPCaller.segment("b/c ü")
            return try await caller.send(.put, path, query: [("q", "1&2")], body: Array("{}".utf8))
        }
        #expect(answer.status == 418)
        #expect(answer.retryAfter == .seconds(7))
        #expect(answer.json == ["path": "/a/b%2Fc%20%C3%BC?q=1%262", "method": "PUT", "token": "t", "body": "{}"])
    }

    @Test("nobody there: the request was not sent")
    func refused() async throws {
        let caller = HTTPCaller(client: OutboundClient.shared, base: "http://127.0.0.1:1")
        let failure = await #expect(throws: HTTPFailure.self) { try await caller.send(.get, "/") }
        #expect(failure == .notSent("cannot connect"))
    }

    @Test("no answer in time: the request may have been sent")
    func late() async throws {
        let failure = try await withService { _ in
            try await Task.sleep(for: .seconds(30))
            return .text(200, "late")
        } _: { base in
            let caller = HTTPCaller(client: OutboundClient.shared, base: base, timeout: .milliseconds(200))
            return await #expect(throws: HTTPFailure.self) { try await caller.send(.get, "/") }
        }
        #expect(failure == .lost("no answer in time"))
    }

    @Test("an answer that is too long is no answer")
    func tooLong() async throws {
        let failure = try await withService { _ in
            .text(200, String(repeating: "x", count: 2000))
        } _: { base in
            let caller = HTTPCaller(client: OutboundClient.shared, base: base, bodyLimit: 1000)
            return await #expect(throws: HTTPFailure.self) { try await caller.send(.get, "/") }
        }
        #expect(failure == .tooLong)
    }

    @Test("a redirect is an answer, not an order")
    func redirect() async throws {
        let status = try await withService { _ in
            Answer(status: 307, headers: ["Location": "http://127.0.0.1:1/"])
        } _: { base in
            try await HTTPCaller(client: OutboundClient.shared, base: base).send(.get, "/").status
        }
        #expect(status == 307)
    }

    @Test("what a failure means depends on whether something was to change")
    func meaning() {
        #expect(HTTPFailure.notSent("x").portError("nomad", changes: true).code == "nomad.unreachable")
        guard case .unknown = HTTPFailure.lost("x").portError("nomad", changes: true) else {
            return #expect(Bool(false), "a lost write is not unknown")
        }
        guard case .transient = HTTPFailure.lost("x").portError("nomad", changes: false) else {
            return #expect(Bool(false), "a lost read is not transient")
        }
    }
}
