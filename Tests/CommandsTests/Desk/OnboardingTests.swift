import Commands
import Domain
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("Onboarding")
struct OnboardingTests {
    @Test("organization, subscription and instance are written in one append, by one command")
    func atomic() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let before = try await plane.log.frontier()
        let receipt = try await plane.onboarded(by: person)

        #expect(plane.types(after: before) == ["organization.created", "subscription.requested", "instance.requested"])
        let events = plane.log.events.suffix(3)
        #expect(Set(events.map(\.command)).count == 1)
        #expect(Set(events.map(\.correlation)) == Set(events.map(\.command)))
        #expect(events.allSatisfy { $0.organization == receipt.answer.organization && $0.actor == person.actor })
        #expect(receipt.position == events.last?.position)
        #expect(receipt.version == 1)
        #expect(!receipt.repeated)
    }

    @Test("the operation is the event that asks for the instance")
    func operation() async throws {
        let plane = try await Plane()
        let receipt = try await plane.onboarded(by: try await plane.person())
        let event = try #require(plane.log.events.last)
        #expect(event.id == receipt.answer.operation)
        #expect(event.stream.text == "instance-\(receipt.answer.instance)")
    }

    @Test("plan, tier and engine come from the price, the release is the default")
    func plan() async throws {
        let plane = try await Plane()
        let receipt = try await plane.onboarded(by: try await plane.person())
        let instance = try await Aggregates(log: plane.log)
            .load(Instance.self, from: Streams.instance(receipt.answer.instance)).model.requested
        #expect(instance?.plan == Samples.plan(.team))
        #expect(instance?.computeEngine == .hetzner)
        #expect(instance?.release.version == "v1.0.0")
        #expect(instance?.name == "main")
        #expect(instance?.generation == 1)
        #expect(instance?.subscription == receipt.answer.subscription)
    }

    @Test("slug and host are claimed")
    func claims() async throws {
        let plane = try await Plane()
        let receipt = try await plane.onboarded(by: try await plane.person())
        #expect(
            plane.log.holder(of: Claim(kind: "slug", key: "acme"))?.text
                == "organization-\(receipt.answer.organization)"
        )
        #expect(
            plane.log.holder(of: Claim(kind: "host", key: "acme.example.test"))?.text
                == "instance-\(receipt.answer.instance)"
        )
        #expect(try await plane.desk.slugAvailability("acme") == .taken)
        #expect(try await plane.desk.slugAvailability("emca") == .available)
        #expect(try await plane.desk.slugAvailability("cloud") == .reserved)
        #expect(try await plane.desk.slugAvailability("Not a slug") == .malformed)
    }

    @Test("of two at once for one slug, one is accepted and the other leaves no trace")
    func race() async throws {
        let plane = try await Plane()
        let people = [try await plane.person("one"), try await plane.person("two")]
        let before = try await plane.log.frontier()
        let errors = await withTaskGroup(of: CommandError?.self) { group in
            for person in people {
                group.addTask {
                    do throws(CommandError) {
                        _ = try await plane.desk.onboard(
                            name: "Acme",
                            slug: "acme",
                            price: "pro-monthly",
                            by: .once(person)
                        )
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(errors.count { $0 == nil } == 1)
        #expect(errors.count { $0 == .slugTaken } == 1)
        #expect(plane.types(after: before).count == 3)
    }

    @Test("a wrong onboarding is refused for its own reason and appends nothing")
    func refusals() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let before = try await plane.log.frontier()
        func refused(
            _ expected: CommandError,
            name: String = "Acme",
            slug: String = "acme",
            price: String = "pro-monthly",
            by principal: Principal? = nil,
            at location: SourceLocation = #_sourceLocation
        ) async {
            await #expect(throws: expected, sourceLocation: location) {
                try await plane.desk.onboard(name: name, slug: slug, price: price, by: .once(principal ?? person))
            }
        }
        await refused(.slug(.malformed), slug: "Acme!")
        await refused(.slug(.reserved), slug: "www")
        await refused(.unknownPrice, price: "gold-monthly")
        await refused(.organization(.nameMalformed), name: "")
        await refused(.user(.notRegistered), by: Principal(.user(IDSource.system.identifier())))
        await refused(.forbidden, by: Principal(.operator(IDSource.system.identifier())))
        await refused(.forbidden, by: Principal(.platformAuditor(IDSource.system.identifier())))
        await refused(.forbidden, by: Principal(person.kind, scopes: ["read"]))
        #expect(try await plane.log.frontier() == before)
    }

    @Test("without a default release nothing can be onboarded")
    func noRelease() async throws {
        let plane = try await Plane(release: nil)
        let person = try await plane.person()
        await #expect(throws: CommandError.release(.noDefault)) { try await plane.onboarded(by: person) }
    }

    @Test("a release that asks for more than the plan gives is refused")
    func tierTooLow() async throws {
        var release = Samples.release()
        release.minimumTier = .enterprise
        let plane = try await Plane(release: release)
        let person = try await plane.person()
        await #expect(throws: CommandError.release(.tierTooLow)) { try await plane.onboarded(by: person) }
    }

    @Test("an operator onboards for somebody else")
    func byOperator() async throws {
        let plane = try await Plane()
        guard case .user(let owner) = try await plane.person().kind else { return }
        let receipt = try await plane.desk.onboard(
            name: "Acme",
            slug: "acme",
            price: "pro-monthly",
            owner: owner,
            by: .once(Principal(.operator(IDSource.system.identifier())))
        )
        let organization = try await Aggregates(log: plane.log)
            .load(Organization.self, from: Streams.organization(receipt.answer.organization))
        #expect(organization.model.members == [owner: .owner])
    }
}

@Suite("Sent again")
struct IdempotencyTests {
    @Test("the same command is answered the same, and written once")
    func replay() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let first = try await plane.desk.onboard(
            name: "Acme",
            slug: "acme",
            price: "pro-monthly",
            by: .keyed("k", person)
        )
        let after = try await plane.log.frontier()
        let second = try await plane.desk.onboard(
            name: "Acme",
            slug: "acme",
            price: "pro-monthly",
            by: .keyed("k", person)
        )
        #expect(second.repeated)
        #expect(second.answer == first.answer)
        #expect(second.position == first.position)
        #expect(second.version == first.version)
        #expect(try await plane.log.frontier() == after)
    }

    @Test("the same key with another request is refused")
    func reused() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        _ = try await plane.desk.createOrganization(name: "A", slug: "a", by: .keyed("k", person, body: "a"))
        await #expect(throws: CommandError.commandReused) {
            try await plane.desk.createOrganization(name: "B", slug: "b", by: .keyed("k", person, body: "b"))
        }
    }

    @Test("two people's keys never meet")
    func twoPeople() async throws {
        let plane = try await Plane()
        let (one, two) = (try await plane.person("one"), try await plane.person("two"))
        _ = try await plane.desk.createOrganization(name: "A", slug: "a", by: .keyed("k", one))
        let second = try await plane.desk.createOrganization(name: "B", slug: "b", by: .keyed("k", two))
        #expect(!second.repeated)
    }

    @Test("twenty at once with one key are one")
    func concurrent() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let before = try await plane.log.frontier()
        let answers = try await withThrowingTaskGroup(of: OrganizationCreated.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await plane.desk.createOrganization(name: "A", slug: "a", by: .keyed("k", person)).answer
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 20)
        #expect(Set(answers.map(\.organization)).count == 1)
        #expect(try await plane.log.frontier() == before + 1)
    }

    @Test("a repeat is answered even when the rules have turned against it")
    func rulesChanged() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let organization = try await plane.onboarded(by: person).answer.organization
        let first = try await plane.desk.renameOrganization(organization, to: "Emca", by: .keyed("r", person))
        try await plane.record(
            Organization.self,
            Streams.organization(organization),
            .requestDeletion(reason: "asked")
        )
        let second = try await plane.desk.renameOrganization(organization, to: "Emca", by: .keyed("r", person))
        #expect(second.repeated)
        #expect(second.position == first.position)
        await #expect(throws: CommandError.organization(.deleting)) {
            try await plane.desk.renameOrganization(organization, to: "Emca", by: .keyed("other", person))
        }
    }

    @Test("a refused command is not remembered: the same key can try again")
    func refusedIsForgotten() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let organization = try await plane.onboarded(by: person).answer.organization
        await #expect(throws: CommandError.organization(.nameMalformed)) {
            try await plane.desk.renameOrganization(organization, to: "", by: .keyed("k", person))
        }
        let second = try await plane.desk.renameOrganization(organization, to: "Emca", by: .keyed("k", person))
        #expect(!second.repeated)
    }

    @Test("a command id is made from principal, route and key, and from nothing else")
    func identity() {
        let id = CommandEnvelope.id(principal: "user-1", route: "POST /v1/onboarding", key: "k")
        // SHA-256 of "user-1\0POST /v1/onboarding\0k", version 8.
        #expect(id.description == "c9551702-72ed-8fc5-8e91-b6bca3d7590e")
        #expect(id != CommandEnvelope.id(principal: "user-1", route: "POST /v1/onboardingk", key: ""))
    }
}
