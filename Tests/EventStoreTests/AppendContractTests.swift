import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("Any log, appended to")
struct AppendContractTests {
    @Test("counts positions over the whole log and versions in each stream", arguments: LogKind.allCases)
    func counts(kind: LogKind) async throws {
        try await kind.with { log, _ in
            let first = try await log.append(request("a-1", .none, events: 2))
            #expect(first == Appended(firstPosition: 1, lastPosition: 2, versions: [stream("a-1"): 2]))
            let second = try await log.append(
                request([
                    StreamWrite(stream("a-1"), expecting: .version(2), events: [event()]),
                    StreamWrite(stream("b-1"), expecting: .none, events: [event(), event()]),
                    StreamWrite(stream("c-1"), expecting: .none),
                ])
            )
            #expect(second.firstPosition == 3)
            #expect(second.lastPosition == 5)
            #expect(second.versions == [stream("a-1"): 3, stream("b-1"): 2])
            let page = try await log.read(after: 0, through: nil, matching: .everything, limit: 100)
            #expect(page.events.map(\.position) == [1, 2, 3, 4, 5])
            #expect(page.events.map(\.version) == [1, 2, 3, 1, 2])
            #expect(page.events.map(\.stream.text) == ["a-1", "a-1", "a-1", "b-1", "b-1"])
        }
    }

    @Test("gives back what was written, to the byte", arguments: LogKind.allCases)
    func roundTrip(kind: LogKind) async throws {
        try await kind.with { log, _ in
            let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            let causation = Causation(
                actor: "user-7",
                command: UniqueID(1),
                cause: UniqueID(2),
                correlation: UniqueID(3),
                traceparent: trace
            )
            let written = NewEvent(
                id: UniqueID(9),
                type: "thing.done",
                schemaVersion: 3,
                payload: Array(#"{"ü":"\u0001 "}"#.utf8)
            )
            let owner = OrganizationID(5)
            _ = try await log.append(
                AppendRequest(
                    causation: causation,
                    writes: [StreamWrite(stream("a-1"), organization: owner, expecting: .any, events: [written])]
                )
            )
            let event = try #require(try await log.read(stream("a-1"), after: 0, limit: 10).first)
            #expect(event.id == written.id)
            #expect(event.type == written.type)
            #expect(event.schemaVersion == 3)
            #expect(event.payload == written.payload)
            #expect(event.organization == owner)
            #expect(event.actor == "user-7")
            #expect(event.command == UniqueID(1))
            #expect(event.cause == UniqueID(2))
            #expect(event.correlation == UniqueID(3))
            #expect(event.metadata == #"{"traceparent":"\#(trace)"}"#)
        }
    }

    @Test("refuses what expected another version, and says which it is", arguments: LogKind.allCases)
    func conflicts(kind: LogKind) async throws {
        try await kind.with { log, _ in
            _ = try await log.append(request("a-1", .none, events: 2))
            let cases: [(ExpectedVersion, String, Int64)] = [
                (.none, "a-1", 2), (.version(1), "a-1", 2), (.version(3), "a-1", 2), (.exists, "b-1", 0),
                (.version(1), "b-1", 0),
            ]
            for (expected, name, actual) in cases {
                await #expect(throws: AppendError.conflict(stream: stream(name), expected: expected, actual: actual)) {
                    try await log.append(request(name, expected))
                }
            }
            for expected in [ExpectedVersion.any, .exists, .version(4)] {
                _ = try await log.append(request("a-1", expected))
            }
            #expect(try await log.frontier() == 5)
        }
    }

    @Test("refuses a request whose unwritten stream is not as expected", arguments: LogKind.allCases)
    func expectations(kind: LogKind) async throws {
        try await kind.with { log, _ in
            let both = request([
                StreamWrite(stream("a-1"), expecting: .none, events: [event()]),
                StreamWrite(stream("b-1"), expecting: .exists),
            ])
            await #expect(throws: AppendError.conflict(stream: stream("b-1"), expected: .exists, actual: 0)) {
                try await log.append(both)
            }
            #expect(try await log.frontier() == 0)
            _ = try await log.append(request("b-1", .none))
            #expect(try await log.append(both).versions == [stream("a-1"): 1])
        }
    }

    @Test(
        "answers the same command as the first time, and refuses its id for another request",
        arguments: LogKind.allCases
    )
    func commands(kind: LogKind) async throws {
        try await kind.with { log, _ in
            let original = command(answer: #"{"id":"7"}"#)
            let write = StreamWrite(stream("a-1"), expecting: .none, events: [event()])
            let first = try await log.append(request([write], command: original))
            #expect(first.repeated == nil)
            let again = try await log.append(request([write], command: original))
            #expect(again.repeated == Array(#"{"id":"7"}"#.utf8))
            #expect(again.firstPosition == 1)
            #expect(again.lastPosition == 1)
            var other = original
            other.requestHash = [2]
            await #expect(throws: AppendError.commandReused) {
                try await log.append(request([write], command: other))
            }
            #expect(try await log.frontier() == 1)
        }
    }

    @Test("forgets the command of a request it refused", arguments: LogKind.allCases)
    func refusedCommand(kind: LogKind) async throws {
        try await kind.with { log, _ in
            let original = command()
            await #expect(throws: AppendError.self) {
                try await log.append(
                    request([StreamWrite(stream("a-1"), expecting: .exists, events: [event()])], command: original)
                )
            }
            let second = try await log.append(
                request([StreamWrite(stream("a-1"), expecting: .none, events: [event()])], command: original)
            )
            #expect(second.repeated == nil)
        }
    }

    @Test("recognises a request without command by its first event", arguments: LogKind.allCases)
    func recognised(kind: LogKind) async throws {
        try await kind.with { log, _ in
            _ = try await log.append(request("a-1", .none))
            let original = request([
                StreamWrite(stream("b-1"), expecting: .none),
                StreamWrite(stream("a-1"), expecting: .version(1), events: [event(), event()]),
                StreamWrite(stream("c-1"), expecting: .none, events: [event()]),
            ])
            let first = try await log.append(original)
            _ = try await log.append(request("a-1", .any))
            #expect(try await log.append(original) == first)
            #expect(try await log.frontier() == 5)
        }
    }

    @Test("lets one stream at a time hold a name", arguments: LogKind.allCases)
    func claims(kind: LogKind) async throws {
        try await kind.with { log, _ in
            let slug = Claim(kind: "slug", key: "acme")
            let (a, b) = (stream("a-1"), stream("b-1"))
            func take(_ name: StreamName) -> AppendRequest {
                request([StreamWrite(name, expecting: .any, events: [event()])], claims: [.take(slug, for: name)])
            }
            _ = try await log.append(take(a))
            _ = try await log.append(take(a))
            await #expect(throws: AppendError.claimed(slug)) { try await log.append(take(b)) }
            _ = try await log.append(request(claims: [.release(slug, by: b)]))
            await #expect(throws: AppendError.claimed(slug)) { try await log.append(take(b)) }
            _ = try await log.append(request(claims: [.release(slug, by: a), .take(slug, for: b)]))
            await #expect(throws: AppendError.claimed(slug)) { try await log.append(take(a)) }
            _ = try await log.append(request(claims: [.release(slug, by: b)]))
            _ = try await log.append(take(a))
            #expect(try await log.frontier() == 3)
        }
    }

    @Test("refuses what can never be written", arguments: LogKind.allCases)
    func flaws(kind: LogKind) async throws {
        try await kind.with { log, _ in
            let twice = event()
            let flawed = [
                request([
                    StreamWrite(stream("a-1"), expecting: .any, events: [event()]),
                    StreamWrite(stream("a-1"), expecting: .any),
                ]),
                request([StreamWrite(stream("a-1"), expecting: .any, events: [twice, twice])]),
                request([StreamWrite(stream("a-1"), expecting: .any, events: [event("Nonsense")])]),
                request([
                    StreamWrite(
                        stream("a-1"),
                        expecting: .any,
                        events: [event("thing.large", String(repeating: "x", count: 2 << 20))]
                    )
                ]),
            ]
            for request in flawed {
                let error = await #expect(throws: AppendError.self) { try await log.append(request) }
                guard case .invalid = error else {
                    Issue.record("\(String(describing: error)) instead of invalid")
                    continue
                }
            }
            let frontier = try await log.frontier()
            #expect(frontier == 0)
        }
    }
}
