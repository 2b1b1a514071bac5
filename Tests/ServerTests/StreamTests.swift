import Commands
import Domain
import EventStore
import HTTPTypes
import Kernel
import NIOCore
@testable import Server
import ServiceLifecycle
import SignalboxTestKit
import Synchronization
import Testing

@Suite("Streams and waiting")
struct StreamTests {
    @Test("an operation's stream ends with its end")
    func operation() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let operation = try #require(made.json["operation"]?["id"]?.string)
        try await stage.finish(operation)
        let reply = try await stage.send(.get, "/v1/operations/\(operation)/stream", as: stage.ana)
        #expect(reply.headers[.contentType] == "text/event-stream")
        #expect(reply.text.hasPrefix("retry: 1000\n\n"))
        #expect(reply.text.contains("\nevent: operation\ndata: {"))
        #expect(reply.text.contains("\"status\":\"completed\""))
    }

    @Test("Prefer: wait holds the answer until the operation ends")
    func waits() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let operation = try #require(made.json["operation"]?["id"]?.string)
        async let held = stage.send(.get, "/v1/operations/\(operation)", as: stage.ana, headers: [.prefer: "wait=20"])
        try await stage.finish(operation)
        let reply = try await held
        #expect(reply.json["status"] == "completed")
        #expect(reply.headers[.preferenceApplied] == "wait=20")
    }

    @Test("a command that is waited for is still 202 when the time is over")
    func timeOver() async throws {
        let stage = try await Stage()
        let start = ContinuousClock.now
        let reply = try await stage.onboard("acme", headers: [.prefer: "respond-async, wait=1"])
        #expect(reply.status == .accepted)
        #expect(reply.json["operation"]?["status"] == "queued")
        #expect(reply.headers[.preferenceApplied] == "wait=1")
        #expect(ContinuousClock.now - start >= .milliseconds(900))
    }

    @Test("events are streamed as they come, from after the last one seen, with heartbeats between")
    func events() async throws {
        let stage = try await Stage()
        let seen = try await stage.size
        try await stage.serving { live in
            let stream = try await live.open("/v1/events/stream", as: stage.operatorKey, lastEventID: String(seen))
            try await stage.onboard("acme")
            var lines = lines(stream).makeAsyncIterator()
            var positions: [Int64] = []
            while positions.count < 3, let line = try await lines.next() {
                if line.hasPrefix("id: ") { positions.append(Int64(line.dropFirst(4)) ?? 0) }
            }
            #expect(positions == [seen + 1, seen + 2, seen + 3])
            while let line = try await lines.next() { if line == ": hb" { return } }
            Issue.record("no heartbeat")
        }
    }

    @Test("a position that never was is answered with a reset", arguments: ["999999", "nonsense", "-1"])
    func reset(position: String) async throws {
        let stage = try await Stage()
        try await stage.serving { live in
            let stream = try await live.open("/v1/events/stream", as: stage.operatorKey, lastEventID: position)
            var lines = lines(stream).makeAsyncIterator()
            var head: [String] = []
            while head.count < 5, let line = try await lines.next() { head.append(line) }
            let size = try await stage.size
            #expect(head == ["retry: 1000", "", "id: \(size)", "event: reset", "data: {\"position\":\(size)}"])
        }
    }

    @Test("a reader that knows another history is answered with a reset")
    func fork() async throws {
        let stage = try await Stage()
        try await stage.onboard("acme")
        let forged = "2." + String(repeating: "0", count: 32)
        try await stage.serving { live in
            let stream = try await live.open("/v1/events/stream", as: stage.operatorKey, lastEventID: forged)
            var lines = lines(stream).makeAsyncIterator()
            var head: [String] = []
            while head.count < 4, let line = try await lines.next() { head.append(line) }
            #expect(head.last == "event: reset")
        }
    }

    @Test("a reader goes on with the token it was given")
    func token() async throws {
        let stage = try await Stage()
        let first = try await stage.send(.get, "/v1/events?limit=1", as: stage.operatorKey)
        let token = try #require(first.json["resume"]?.string)
        #expect(token.hasPrefix("1."))
        try await stage.onboard("acme")
        try await stage.serving { live in
            let stream = try await live.open("/v1/events/stream", as: stage.operatorKey, lastEventID: token)
            for try await line in lines(stream) where line.hasPrefix("id: ") {
                #expect(line == "id: 2")
                return
            }
        }
    }

    @Test("a list goes on after a token, and refuses one of another history and what is none")
    func listedTokens() async throws {
        let stage = try await Stage()
        try await stage.onboard("acme")
        let first = try await stage.send(.get, "/v1/events?limit=2", as: stage.operatorKey)
        let token = try #require(first.json["resume"]?.string)
        let second = try await stage.send(.get, "/v1/events?limit=1&after=\(token)", as: stage.operatorKey)
        #expect(second.json["data"]?.array?.first?["position"] == 3)
        let last = try #require(token.last)
        let forged = token.dropLast() + (last == "0" ? "1" : "0")
        let refused = try await stage.send(.get, "/v1/events?after=\(forged)", as: stage.operatorKey)
        #expect(refused.status == .conflict)
        #expect(refused.problem == "history-forked")
        for nonsense in ["x", "1.22", "-1", "1.\(String(repeating: "g", count: 32))"] {
            let reply = try await stage.send(.get, "/v1/events?after=\(nonsense)", as: stage.operatorKey)
            #expect(reply.problem == "invalid")
            #expect(reply.parameters == ["after"])
        }
    }

    @Test("a graceful shutdown ends streams, answers what is under way and takes nothing new")
    func shutdown() async throws {
        let stage = try await Stage()
        let ended = Mutex(false)
        try await stage.serving { live in
            let stream = try await live.open("/v1/events/stream", as: stage.operatorKey, lastEventID: nil)
            var lines = lines(stream).makeAsyncIterator()
            #expect(try await lines.next() == "retry: 1000")
            await live.group.triggerGracefulShutdown()
            while try await lines.next() != nil {}
            ended.withLock { $0 = true }
        }
        #expect(ended.withLock { $0 })
    }

    @Test("an answer that is under way at a graceful shutdown is still given")
    func draining() async throws {
        var stage = try await Stage()
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let (released, release) = AsyncStream.makeStream(of: Void.self)
        stage.backend.commands.slugAvailability = { _ throws(CommandError) in
            ask.yield()
            _ = await released.first { true }
            return .available
        }
        let key = stage.ana
        try await stage.serving { live in
            async let answer = live.get("/v1/slugs/acme", as: key)
            _ = await asked.first { true }
            await live.group.triggerGracefulShutdown()
            release.yield()
            let status = try await answer
            #expect(status == 200)
            // Nothing new is taken any more: the only way to find out is to be turned away.
            try await eventually { (try? await live.get("/livez", as: key, within: .milliseconds(300))) == nil }
        }
    }

    @Test("an answer that never comes does not hold up the end for ever")
    func patience() async throws {
        var stage = try await Stage()
        stage.settings.drain = .milliseconds(200)
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let (never, keep) = AsyncStream.makeStream(of: Void.self)
        stage.backend.commands.slugAvailability = { _ throws(CommandError) in
            ask.yield()
            _ = await never.first { true }
            return .available
        }
        let key = stage.ana
        try await stage.serving { live in
            // However the client learns that its answer was cut off, it gets none.
            async let answer = try? live.get("/v1/slugs/acme", as: key)
            _ = await asked.first { true }
            await live.group.triggerGracefulShutdown()
            _ = await answer
        }
        keep.finish()
    }

    @Test("data with line breaks becomes several data lines")
    func lineBreaks() {
        let event = ServerSentEvent(id: 3, name: "x", data: Array("a\nb".utf8))
        #expect(String(decoding: event.bytes, as: UTF8.self) == "id: 3\nevent: x\ndata: a\ndata: b\n\n")
    }
}

extension Stage {
    /// Lets the saga of an operation run to its end, without doing anything.
    fileprivate func finish(_ operation: String) async throws {
        let id = try #require(UniqueID(operation))
        let kind = "provision-instance"
        let stream = try #require(StreamName(SagaCause.stream(kind: kind, cause: id)))
        let events: [SagaEvent] = [
            .started(
                .init(
                    kind: kind,
                    definition: 1,
                    subject: "instance-1",
                    lane: "instance-1",
                    cause: id,
                    input: .object([:]),
                    steps: ["one"],
                    deadline: IDSource.system.now()
                )
            ),
            .completed(.init()),
        ]
        let causation = Causation(actor: "saga-\(kind)", command: IDSource.system.unique())
        _ = try await log.append(
            AppendRequest(
                causation: causation,
                writes: [
                    StreamWrite(
                        stream,
                        expecting: .none,
                        events: try events.map {
                            NewEvent(id: IDSource.system.unique(), type: $0.name.rawValue, payload: try $0.payload())
                        }
                    )
                ]
            )
        )
    }
}
