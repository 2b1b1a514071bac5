import Commands
import EventStore
import HTTPTypes
import Kernel
@testable import Server
import SignalboxTestKit
import Testing

@Suite("What operators make unreadable")
struct ErasureTests {
    private func erase(_ body: String, on stage: Stage) async throws -> Stage.Reply {
        try await stage.send(.post, "/v1/admin/erasures", as: stage.operatorKey, body: body)
    }

    @Test("a person's sealed fields read as erased for everybody, and the key of that person is no good any more")
    func person() async throws {
        let stage = try await Stage()
        let path = "/v1/events?stream=user-\(stage.anaID)&type=user.registered"
        func subject() async throws -> JSONValue? {
            try await stage.send(.get, path, as: stage.operatorKey).json["data"]?.array?.first?["data"]?["subject"]
        }
        #expect(try await subject() == ["sealed": true])
        #expect(try await stage.send(.get, "/v1/me", as: stage.ana).status == .ok)
        let reply = try await erase(#"{"subject":"user-\#(stage.anaID)","reason":"asked"}"#, on: stage)
        #expect(reply.status == .ok, "\(reply.text)")
        #expect(reply.json == ["erased": [.string("user-\(stage.anaID)")], "before": []])
        #expect(reply.headers[.logPosition] == String(try await stage.size))
        #expect(try await subject() == ["erased": true])
        let state = try await stage.send(.get, "/v1/streams/user-\(stage.anaID)/state", as: stage.auditorKey)
        #expect(state.json["state"]?["registered"]?["subject"] == ["erased": true])
        #expect(try await stage.send(.get, "/v1/me", as: stage.ana).status == .unauthorized)
        let record = try await stage.send(.get, "/v1/events?category=erasure", as: stage.auditorKey)
        #expect(record.json["data"]?.array?.first?["actor"]?.string == "operator-\(stage.operatorKey.id)")
        // Somebody else's fields are as they were.
        let other = try await stage.send(.get, "/v1/events?stream=user-\(stage.bobID)", as: stage.operatorKey)
        #expect(other.json["data"]?.array?.first?["data"]?["subject"] == ["sealed": true])
    }

    @Test("a payload reads as erased for everybody, and again is no mistake")
    func payload() async throws {
        let stage = try await Stage()
        let reply = try await erase(#"{"positions":[2,1],"reason":"x"}"#, on: stage)
        #expect(reply.json == ["erased": ["1", "2"], "before": []])
        let event = try await stage.send(.get, "/v1/events/2", as: stage.auditorKey)
        #expect(event.json["data"] == ["erased": true])
        let size = try await stage.size
        let again = try await erase(#"{"positions":[2],"reason":"x"}"#, on: stage)
        #expect(again.status == .ok)
        #expect(again.json == ["erased": [], "before": ["2"]])
        #expect(try await stage.size == size)
    }

    @Test("the same request with one idempotency key is one erasure")
    func repeated() async throws {
        let stage = try await Stage()
        func send(_ body: String) async throws -> Stage.Reply {
            try await stage.send(
                .post,
                "/v1/admin/erasures",
                as: stage.operatorKey,
                headers: [.idempotencyKey: "k"],
                body: body
            )
        }
        let first = try await send(#"{"positions":[1],"reason":"x"}"#)
        #expect(try await send(#"{"positions":[1],"reason":"x"}"#).json == first.json)
        #expect(try await send(#"{"positions":[2],"reason":"x"}"#).problem == "idempotency-key-reused")
    }

    @Test("nonsense is refused, and changes nothing")
    func refused() async throws {
        let stage = try await Stage()
        _ = try await erase(#"{"positions":[1],"reason":"x"}"#, on: stage)
        let size = try await stage.size
        let cases: [(String, HTTPResponse.Status, String)] = [
            (#"{"subject":"user-7","reason":"x"}"#, .notFound, "unknown-subject"),
            (#"{"positions":[\#(size + 1)],"reason":"x"}"#, .notFound, "unknown-position"),
            (#"{"positions":[\#(size)],"reason":"x"}"#, .conflict, "record-of-erasure"),
            (#"{"positions":[0],"reason":"x"}"#, .unprocessableContent, "invalid"),
            (#"{"positions":[],"reason":"x"}"#, .unprocessableContent, "invalid"),
            (#"{"positions":[2],"reason":" "}"#, .unprocessableContent, "invalid"),
            (#"{"positions":[2]}"#, .unprocessableContent, "invalid"),
            (#"{"reason":"x"}"#, .unprocessableContent, "invalid"),
            (#"{"subject":"user-\#(stage.bobID)","positions":[2],"reason":"x"}"#, .unprocessableContent, "invalid"),
        ]
        for (body, status, problem) in cases {
            let reply = try await erase(body, on: stage)
            #expect(reply.status == status, "\(body)")
            #expect(reply.problem == problem, "\(body)")
        }
        let body = #"{"positions":[2],"reason":"x"}"#
        for key in [stage.ana, stage.auditorKey] {
            #expect(try await stage.send(.post, "/v1/admin/erasures", as: key, body: body).status == .forbidden)
        }
        #expect(try await stage.size == size)
        #expect(stage.log.events[1].payload != nil)
    }

    @Test("what is sealed is found at any depth, and what only looks like it is shown")
    func disclosure() {
        let sealed: JSONValue = ["subject": "user-1", "box": "eA=="]
        let value: JSONValue = ["a": [["b": sealed]], "c": ["subject": "user-2", "box": 3], "d": ["subject": "x"]]
        #expect(Disclosure.subjects(in: value) == ["user-1"])
        #expect(Disclosure.closed(value, erased: [])["a"] == [["b": ["sealed": true]]])
        #expect(Disclosure.closed(value, erased: ["user-1"])["a"] == [["b": ["erased": true]]])
        #expect(Disclosure.closed(value, erased: ["user-1"])["c"] == value["c"])
    }
}
