import Commands
import Domain
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("Erasing")
struct ErasuresTests {
    private static let boss = Principal(.operator(IDSource.system.identifier()))

    private func erasures(_ plane: Plane) -> Erasures {
        Erasures(
            log: plane.log,
            eraser: MemoryEraser(log: plane.log, subjects: plane.subjects),
            subjects: plane.subjects
        )
    }

    private func user(_ person: Principal) throws -> UserID {
        guard case .user(let user) = person.kind else { throw CommandError.notFound }
        return user
    }

    @Test("a person is erased with their keys and their identity, and one record says why")
    func person() async throws {
        let plane = try await Plane()
        let user = try user(try await plane.person("ada"))
        let key = IssuedKey(ids: .system)
        _ = try await plane.desk.issueUserKey(for: user, key: key, by: .own(ids: .system))
        let before = try await plane.log.frontier()
        let receipt = try await erasures(plane).erase(
            subject: "user-\(user)",
            reason: "asked",
            by: .once(Self.boss)
        )
        #expect(receipt.answer == Erased(erased: ["user-\(user)"], before: []))
        #expect(plane.types(after: before) == ["erasure.subject-erased", "user.api-key-revoked", "user.erased"])
        #expect(plane.log.events.last?.actor == Self.boss.actor)
        let record = try await plane.log.read(try #require(Streams.erasure(of: "user-\(user)")), after: 0, limit: 9)
        #expect(record.map(\.payload) == [Array(#"{"reason":"asked","subject":"user-\#(user)"}"#.utf8)])
        #expect(try await plane.subjects.wrappedKey(of: "user-\(user)") == .destroyed)
        // The same identity is somebody new.
        let again = try await plane.person("ada")
        #expect(again != Principal(.user(user)))
    }

    @Test("a sealed field cannot be opened any more, and nothing can be sealed for who was erased")
    func sealed() async throws {
        let plane = try await Plane()
        let vault = Vault(keys: Samples.masterKeys(), subjects: plane.subjects)
        let box = try await vault.seal("Ada", for: "organization-7")
        #expect(try await vault.open(box) == "Ada")
        _ = try await erasures(plane).erase(subject: "organization-7", reason: "asked", by: .once(Self.boss))
        #expect(try await vault.open(box) == nil)
        await #expect(throws: Vault.Problem.erased) { try await vault.seal("Ada", for: "organization-7") }
    }

    @Test("what was erased before is said, and writes nothing")
    func again() async throws {
        let plane = try await Plane()
        let user = try user(try await plane.person())
        let erasures = erasures(plane)
        _ = try await erasures.erase(subject: "user-\(user)", reason: "asked", by: .once(Self.boss))
        let first = try await erasures.erase(positions: [2, 3], reason: "a password", by: .once(Self.boss))
        #expect(first.answer == Erased(erased: ["2", "3"], before: []))
        let size = try await plane.log.frontier()
        let subject = try await erasures.erase(subject: "user-\(user)", reason: "asked", by: .once(Self.boss))
        #expect(subject.answer == Erased(erased: [], before: ["user-\(user)"]))
        let positions = try await erasures.erase(positions: [3, 2, 3], reason: "x", by: .once(Self.boss))
        #expect(positions.answer == Erased(erased: [], before: ["2", "3"]))
        #expect(positions.position == first.position)
        #expect(try await plane.log.frontier() == size)
        let more = try await erasures.erase(positions: [1, 2], reason: "x", by: .once(Self.boss))
        #expect(more.answer == Erased(erased: ["1"], before: ["2"]))
    }

    @Test("the same command again is answered as the first time")
    func repeated() async throws {
        let plane = try await Plane()
        _ = try await plane.person()
        let erasures = erasures(plane)
        let first = try await erasures.erase(positions: [1], reason: "x", by: .keyed("k", Self.boss))
        let second = try await erasures.erase(positions: [1], reason: "x", by: .keyed("k", Self.boss))
        #expect(second.repeated)
        #expect(second.answer == first.answer)
        #expect(second.position == first.position)
        #expect(plane.types().count { $0 == "erasure.payload-erased" } == 1)
    }

    @Test("a payload goes, and its record says what it was but not what it said")
    func payload() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let onboarded = try await plane.onboarded(by: person)
        let event = try #require(plane.log.events.first { $0.type == "organization.created" })
        _ = try await erasures(plane).erase(positions: [event.position], reason: "a name", by: .once(Self.boss))
        #expect(plane.log.events[Int(event.position) - 1].payload == nil)
        let record = try #require(plane.log.events.last)
        #expect(record.organization == onboarded.answer.organization)
        let written = try ErasureEvent.decode(type: record.type, schemaVersion: 1, payload: record.payload ?? [])
        #expect(
            written
                == .payloadErased(
                    .init(
                        position: event.position,
                        event: event.id,
                        stream: event.stream.text,
                        version: 1,
                        type: "organization.created",
                        reason: "a name"
                    )
                )
        )
    }

    @Test("nonsense is refused and changes nothing")
    func refused() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let erasures = erasures(plane)
        _ = try await erasures.erase(positions: [1], reason: "x", by: .once(Self.boss))
        let size = try await plane.log.frontier()
        for subject in ["user-7", "nobody", "", "user-", "organization-7", "USER-1"] {
            await #expect(throws: CommandError.erasure(.unknownSubject(subject))) {
                try await erasures.erase(subject: subject, reason: "x", by: .once(Self.boss))
            }
        }
        for position in [0, -1, size + 1, .max] {
            await #expect(throws: CommandError.erasure(.unknownPosition(position))) {
                try await erasures.erase(positions: [2, position], reason: "x", by: .once(Self.boss))
            }
        }
        await #expect(throws: CommandError.erasure(.recordOfErasure(size))) {
            try await erasures.erase(positions: [size], reason: "x", by: .once(Self.boss))
        }
        await #expect(throws: CommandError.erasure(.positionsMalformed)) {
            try await erasures.erase(positions: [], reason: "x", by: .once(Self.boss))
        }
        for reason in ["", "  ", "a\nb", String(repeating: "x", count: 501)] {
            await #expect(throws: CommandError.erasure(.reasonMalformed)) {
                try await erasures.erase(positions: [2], reason: reason, by: .once(Self.boss))
            }
        }
        for stranger in [person, Principal(.platformAuditor(IDSource.system.identifier()))] {
            await #expect(throws: CommandError.forbidden) {
                try await erasures.erase(positions: [2], reason: "x", by: .once(stranger))
            }
        }
        #expect(try await plane.log.frontier() == size)
        #expect(plane.log.events[1].payload != nil)
    }
}
