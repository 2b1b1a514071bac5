import Domain
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import Projections

@Suite("Asking the read models")
struct ReadModelsTests {
    private let organization: OrganizationID = Story.identifier(42)
    private let instance: InstanceID = Story.identifier(400)
    private let owner: UserID = Story.identifier(7)

    @Test("an onboarded organization is found from every side")
    func onboarded() async throws {
        try await Stage.with { stage in
            try await stage.running(stage.runner("a")) {
                var story = Story()
                try story.onboard()
                try story.provision(cause: 3)
                let key = APIKeyIssued(key: Story.identifier(5), hash: "beef", scopes: ["*"])
                try story.tell(UserEvent.apiKeyIssued(key), of: 7, org: nil)
                try await stage.append(story.events)
                let end = Int64(story.events.count)
                let models = stage.readModels
                try await models.wait(for: end, timeout: .seconds(10))

                let shown = try await models.organization(organization)
                #expect(shown.value?.slug == "acme" && shown.position >= end)
                let page = PageRequest()
                #expect(try await models.organizations(of: owner, page: page).value.data.map(\.id) == [organization])
                #expect(try await models.organizations(of: Story.identifier(8), page: page).value.data.isEmpty)
                #expect(try await models.organizations(page: page).value.data.count == 1)
                #expect(try await models.role(of: owner, in: organization) == .owner)
                #expect(try await models.role(of: Story.identifier(8), in: organization) == nil)
                #expect(try await models.members(of: organization, page: page).value.data.map(\.role) == [.owner])

                let found = try #require(try await models.instance(instance).value)
                #expect(found.status == .running && found.subscription.status == .active)
                #expect(try await models.instances(of: organization, page: page).value.data == [found])
                #expect(try await models.instances(of: Story.identifier(43), page: page).value.data.isEmpty)
                let history = try await models.history(of: instance, page: page).value.data
                #expect(history.map(\.version) == [1, 2, 3, 4, 5])
                #expect(try await models.subscription(Story.identifier(300)).value?.status == .active)
                #expect(try await models.subscriptions(of: organization, page: page).value.data.count == 1)

                let operation = try await models.operation(Story.id(3)).value
                #expect(operation?.status == .completed && operation?.steps.count == 3)
                #expect(try await models.operation(Story.id(1)).value == nil)
                let all = try await models.operations(of: nil, page: page).value.data
                #expect(all.map(\.id) == [Story.id(3)])
                let mine = try await models.operations(
                    of: [organization],
                    subject: "instance-400",
                    status: .completed,
                    page: page
                )
                #expect(mine.value.data == all)
                #expect(try await models.operations(of: [Story.identifier(43)], page: page).value.data.isEmpty)
                #expect(try await models.operations(of: nil, status: .parked, page: page).value.data.isEmpty)

                #expect(try await models.routes(afterPassing: end).value.map(\.host) == ["acme.localhost"])
                #expect(try await models.key(Story.identifier(5))?.owner == .user(owner))
                #expect(try await models.key(Story.identifier(6)) == nil)
                #expect(try await models.keys(of: .user(owner), page: page).value.data.count == 1)
                #expect(try await models.releases().value.isEmpty)

                let states = try await models.projections()
                #expect(Set(states.map(\.name)) == Set(Registry.all.map { $0.name }))
                #expect(states.allSatisfy { $0.live && $0.position == end && $0.lag == 0 && $0.lagSeconds == 0 })
            }
        }
    }

    @Test("a list comes in pages, all of it and nothing twice")
    func pages() async throws {
        try await Stage.with { stage in
            try await stage.running(stage.runner("a")) {
                var story = Story()
                for id in Int64(0)..<5 { try story.tell(Story.requested(), of: 400 + id) }
                try await stage.append(story.events)
                try await stage.readModels.wait(for: 5, timeout: .seconds(10))
                var ids: [Int64] = []
                var after: String?
                repeat {
                    let request = PageRequest(limit: 2, after: after)
                    let page = try await stage.readModels.instances(of: organization, page: request).value
                    #expect(page.data.count <= 2)
                    ids += page.data.map(\.id.value)
                    after = page.next
                } while after != nil
                #expect(ids == [400, 401, 402, 403, 404])
                let newest = try await stage.readModels.operations(of: nil, page: PageRequest(limit: 2)).value
                #expect(newest.data.map(\.position) == [5, 4])
                await #expect(throws: ReadError.badCursor) {
                    let request = PageRequest(limit: 2, after: newest.next)
                    _ = try await stage.readModels.instances(of: organization, page: request)
                }
            }
        }
    }

    @Test("the invitations of an organization come newest first, in pages, and no others")
    func invitations() async throws {
        try await Stage.with { stage in
            try await stage.running(stage.runner("a")) {
                var story = Story()
                try story.onboard()
                for id in UInt128(1)...3 {
                    let fact = OrganizationEvent.InvitationSent(
                        invitation: UniqueID(id),
                        tokenHash: "h",
                        role: .viewer,
                        expiresAt: Story.moment(100)
                    )
                    try story.tell(
                        OrganizationEvent.invitationSent(fact),
                        of: id == 3 ? 43 : 42,
                        org: id == 3 ? 43 : 42
                    )
                }
                try await stage.append(story.events)
                try await stage.readModels.wait(for: Int64(story.events.count), timeout: .seconds(10))
                let first = try await stage.readModels.invitations(of: organization, page: PageRequest(limit: 1)).value
                #expect(first.data.map(\.id) == [UniqueID(2)])
                let rest = PageRequest(limit: 2, after: first.next)
                #expect(
                    try await stage.readModels.invitations(of: organization, page: rest).value.data.map(\.id)
                        == [UniqueID(1)]
                )
            }
        }
    }

    @Test("who asks for more than is folded is told how far it is")
    func behind() async throws {
        try await Stage.with { stage in
            var story = Story()
            try story.onboard()
            try await stage.append(story.events)
            try await stage.runner("a").prepare()
            await #expect(throws: ReadError.behind(position: 0)) {
                try await stage.readModels.wait(for: 1, timeout: .milliseconds(20))
            }
            await #expect(throws: ReadError.behind(position: 0)) {
                _ = try await stage.readModels.routes(afterPassing: 1)
            }
            #expect(try await stage.readModels.routes(afterPassing: 0).value.isEmpty)
            let states = try await stage.readModels.projections()
            #expect(states.allSatisfy { $0.position == 0 && $0.lag == 3 && $0.lagSeconds > 0 })
            try await stage.running(stage.runner("a")) {
                try await stage.readModels.wait(for: 3, timeout: .seconds(10))
            }
        }
    }

    @Test("without a database the answer is that there is none")
    func unavailable() async throws {
        let pool = Pool(conninfo: "host=/nowhere", size: 1)
        await #expect(throws: ReadError.unavailable) {
            _ = try await ReadModels(pool: pool, logger: Stage.silence).organization(organization)
        }
        await pool.close()
    }
}
