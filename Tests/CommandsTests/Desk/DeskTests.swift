import Commands
import Domain
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("Command desk")
struct DeskTests {
    @Test("a failed provisioning is tried again as the next generation, by a new operation")
    func retry() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let onboarded = try await plane.onboarded(by: person).answer
        await #expect(throws: CommandError.instance(.notFailed)) {
            try await plane.desk.retryInstance(onboarded.instance, by: .once(person))
        }
        try await plane.record(
            Instance.self,
            Streams.instance(onboarded.instance),
            .failProvisioning(.init(step: "create-database", failure: "permanent", reason: "full", generation: 1))
        )
        let receipt = try await plane.desk.retryInstance(onboarded.instance, by: .keyed("k", person))
        let event = try #require(plane.log.events.last)
        #expect(event.type == "instance.retry-requested")
        #expect(event.id == receipt.answer.operation)
        #expect(receipt.version == 3)
        let again = try await plane.desk.retryInstance(onboarded.instance, by: .keyed("k", person))
        #expect(again.repeated && again.answer == receipt.answer)
    }

    @Test("a further instance has a name, a subscription and a host of its own")
    func furtherInstance() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let first = try await plane.onboarded(by: person).answer
        let receipt = try await plane.desk.requestInstance(
            of: first.organization,
            name: "blue",
            price: "pro-monthly",
            by: .once(person)
        )
        #expect(receipt.answer.subscription != first.subscription)
        #expect(receipt.version == 1)
        #expect(
            plane.log.events.last?.id == receipt.answer.operation
                || plane.types().suffix(2).contains("instance.requested")
        )
        #expect(
            plane.log.holder(of: Claim(kind: "host", key: "blue--acme.example.test"))?.text
                == "instance-\(receipt.answer.instance)"
        )
        await #expect(throws: CommandError.hostTaken) {
            try await plane.desk.requestInstance(
                of: first.organization,
                name: "blue",
                price: "pro-monthly",
                by: .once(person)
            )
        }
        await #expect(throws: CommandError.instance(.nameMalformed)) {
            try await plane.desk.requestInstance(
                of: first.organization,
                name: "B-1",
                price: "pro-monthly",
                by: .once(person)
            )
        }
        await #expect(throws: CommandError.release(.unknownVersion)) {
            try await plane.desk.requestInstance(
                of: first.organization,
                name: "green",
                price: "pro-monthly",
                version: "v9",
                by: .once(person)
            )
        }
    }

    @Test("a further instance's host must fit into one DNS label")
    func longHost() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let slug = String(repeating: "x", count: 58)
        let organization = try await plane.onboarded(slug, by: person).answer.organization
        await #expect(throws: CommandError.instance(.nameMalformed)) {
            try await plane.desk.requestInstance(
                of: organization,
                name: "blue",
                price: "pro-monthly",
                by: .once(person)
            )
        }
        _ = try await plane.desk.requestInstance(of: organization, name: "red", price: "pro-monthly", by: .once(person))
    }

    @Test("an organization that is being deleted gets no new work", arguments: [true, false])
    func noNewWork(deleting: Bool) async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let onboarded = try await plane.onboarded(by: person).answer
        let command: Organization.Command = deleting ? .requestDeletion(reason: "x") : .suspend(reason: "x")
        try await plane.record(Organization.self, Streams.organization(onboarded.organization), command)
        let expected = CommandError.organization(deleting ? .deleting : .suspended)
        await #expect(throws: expected) {
            try await plane.desk.requestInstance(
                of: onboarded.organization,
                name: "second",
                price: "pro-monthly",
                by: .once(person)
            )
        }
        await #expect(throws: expected) {
            try await plane.desk.retryInstance(onboarded.instance, by: .once(person))
        }
    }

    @Test("an expected version that has passed is refused with the one there is")
    func expectedVersion() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let organization = try await plane.onboarded(by: person).answer.organization
        let receipt = try await plane.desk.renameOrganization(organization, to: "B", by: .once(person, expecting: 1))
        #expect(receipt.version == 2)
        await #expect(throws: CommandError.conflict(actual: 2)) {
            try await plane.desk.renameOrganization(organization, to: "C", by: .once(person, expecting: 1))
        }
    }

    @Test("a command that is satisfied already is accepted and writes nothing")
    func satisfied() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let onboarded = try await plane.onboarded(by: person)
        let before = try await plane.log.frontier()
        let receipt = try await plane.desk.renameOrganization(
            onboarded.answer.organization,
            to: "acme",
            by: .once(person)
        )
        #expect(try await plane.log.frontier() == before)
        #expect(receipt.version == 1)
        #expect(receipt.position == onboarded.position - 2)
    }

    @Test("a repeat of a command that wrote nothing tells the position of the first")
    func satisfiedAgain() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let organization = try await plane.onboarded(by: person).answer.organization
        let first = try await plane.desk.renameOrganization(organization, to: "acme", by: .keyed("k", person))
        _ = try await plane.desk.renameOrganization(organization, to: "other", by: .once(person))
        let again = try await plane.desk.renameOrganization(organization, to: "acme", by: .keyed("k", person))
        #expect(again.repeated)
        #expect(again.position == first.position)
        #expect(again.version == first.version)
    }

    @Test("thirty who write at once are all heard, each on what the others left")
    func contention() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let organization = try await plane.onboarded(by: person).answer.organization
        let versions = try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 0..<30 {
                group.addTask {
                    try await plane.desk.renameOrganization(organization, to: "Name \(number)", by: .once(person))
                        .version
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(versions.sorted() == Array(2...31))
    }

    @Test("a person is registered once, and found after that, their fields sealed")
    func register() async throws {
        let plane = try await Plane()
        let first = try await plane.desk.registerUser(
            issuer: "local",
            subject: "ada",
            email: "ada@example.com",
            firstName: "Ada",
            by: .own(ids: .system)
        )
        let again = try await plane.desk.registerUser(issuer: "local", subject: "ada", by: .own(ids: .system))
        #expect(again.answer == first.answer)
        #expect(again.repeated)
        let other = try await plane.desk.registerUser(issuer: "elsewhere", subject: "ada", by: .own(ids: .system))
        #expect(other.answer != first.answer)

        let texts = plane.log.events.map { String(decoding: $0.payload ?? [], as: UTF8.self) }
        #expect(texts.allSatisfy { !$0.contains("ada@example.com") && !$0.contains("Ada") })
    }

    @Test("ten who register one person at once all get the same one")
    func registerRace() async throws {
        let plane = try await Plane()
        let users = try await withThrowingTaskGroup(of: UserID.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    try await plane.desk.registerUser(issuer: "local", subject: "ada", by: .own(ids: .system)).answer
                        .user
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(users.count == 1)
        #expect(plane.types().count { $0 == "user.registered" } == 1)
    }

    @Test("registering the default release at every start writes once")
    func release() async throws {
        let plane = try await Plane()
        let before = try await plane.log.frontier()
        _ = try await plane.desk.registerRelease(Samples.release(), makeDefault: true, by: .own(ids: .system))
        #expect(try await plane.log.frontier() == before)
        let person = try await plane.person()
        await #expect(throws: CommandError.forbidden) {
            try await plane.desk.registerRelease(Samples.release("v2"), by: .once(person))
        }
        _ = try await plane.desk.registerRelease(Samples.release("v2"), by: .own(ids: .system))
        _ = try await plane.desk.setDefaultRelease(version: "v2", by: .own(ids: .system))
        #expect(plane.types().suffix(2) == ["release.registered", "release.default-set"])
    }

    @Test("who has changed elsewhere is seen: the desk's memory is never what decides")
    func staleMemory() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let organization = try await plane.onboarded(by: person).answer.organization
        let other = Samples.desk(plane.log)
        _ = try await other.renameOrganization(organization, to: "Other", by: .once(person))
        let receipt = try await plane.desk.renameOrganization(organization, to: "acme", by: .once(person))
        #expect(receipt.version == 3)
    }
}
