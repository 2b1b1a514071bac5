import Domain
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@testable import Projections

@Suite("Views of the past")
struct PastViewsTests {
    @Test("at the end are the rows, and at every position what the rows were then")
    func rows() async throws {
        var story = Story()
        try story.onboard(1, instance: 501, owner: 1)
        try story.provision(cause: Int64(story.events.count), instance: 501, org: 1)
        let log = try await story.told()
        let past = PastViews(log: log)
        let end = Int64(story.events.count)
        let id = try #require(InstanceID(501))
        let organization = try #require(OrganizationID(1))
        for position in 0...end {
            let reading = try await past.instance(id, at: .position(position))
            #expect(reading.position == position)
            var row: InstanceRow?
            for record in log.events.prefix(Int(position)) where record.stream.text == "instance-501" {
                try Instances.fold(into: &row, try #require(try Entry(record)))
            }
            #expect(reading.value?.version == row?.version)
            #expect(reading.value?.status == row?.status)
            if let row {
                let paid = try await past.subscription(row.subscriptionID, at: .position(position)).value
                #expect(reading.value?.subscription.status == paid?.status ?? .requested)
            }
            let there = try await past.organization(organization, at: .position(position)).value != nil
            #expect(there == log.events.prefix(Int(position)).contains { $0.stream.text == "organization-1" })
        }
        for position in 0...end {
            // A list is made of the same as each of its elements.
            let listed = try await past.instances(of: organization, at: .position(position), page: PageRequest()).value
            let alone = try await past.instance(id, at: .position(position)).value
            #expect(listed.data == [alone].compactMap(\.self) && listed.next == nil)
            let everybody = try await past.organizations(at: .position(position), page: PageRequest()).value.data
            #expect(everybody.map(\.id) == (position > 0 ? [organization] : []))
            let shadow = try await ShadowBuild(log: log).rows(of: "instance_timeline", at: .position(position))
            let told = log.events.prefix(Int(position)).count { $0.type.hasPrefix("instance.") }
            #expect(shadow?.value.rows.count == told)
        }
        #expect(try await ShadowBuild(log: log).rows(of: "nothing", at: .now) == nil)
        await #expect(throws: ReadError.tooMuch(3)) {
            try await ShadowBuild(log: log, most: 3).rows(of: "instances", at: .now)
        }
        await #expect(throws: ReadError.tooMuch(100_000)) {
            try await ShadowBuild(log: log, mostReads: 0).rows(of: "instances", at: .now)
        }
        await #expect(throws: ReadError.busy) {
            try await PastViews(log: log, turnstile: Turnstile(0)).organizations(at: .now, page: PageRequest())
        }
        let turnstile = Turnstile(1)
        for _ in 0..<3 {
            let again = PastViews(log: log, turnstile: turnstile)
            _ = try await again.instances(of: organization, at: .now, page: PageRequest())
        }
        await #expect(throws: ReadError.beyond(end: end)) {
            try await past.instance(id, at: .position(end + 1))
        }
        #expect(try await past.instance(id, at: .time(Timestamp(microseconds: 0))).value == nil)
        await #expect(throws: ReadError.future) {
            try await past.instance(id, at: .time(IDSource.system.now() + .seconds(3600)))
        }
    }

    @Test("a list says whose elements stay where they were because of an event, and not what is wrong with it")
    func blocked() async throws {
        var story = Story()
        try story.onboard(42, instance: 400)
        try story.onboard(43, instance: 401)
        let stream = StreamName(category: "instance", id: 400)
        let bad = try story.write(stream, "instance.running", Array("{}".utf8))
        let organization = StreamName(category: "organization", id: 43)
        let worse = try story.write(organization, "organization.renamed", Array("{}".utf8), 43)
        let past = PastViews(log: try await story.told())
        let whose = try #require(OrganizationID(42))
        let found = try await past.instances(of: whose, at: .now, page: PageRequest()).value
        #expect(found.data.map(\.status) == [.provisioning])
        #expect(found.blocked == [BlockedOrganization(organizationId: whose, position: bad)])
        let other = try #require(OrganizationID(43))
        let all = try await past.organizations(at: .now, page: PageRequest()).value
        #expect(all.data.count == 2 && all.blocked == [BlockedOrganization(organizationId: other, position: worse)])
        // Nobody was blocked before.
        #expect(try await past.organizations(at: .position(bad), page: PageRequest()).value.blocked == nil)
    }

    @Test("what stands for a key is never shown")
    func secrets() async throws {
        var story = Story()
        let key: KeyID = Story.identifier(77)
        let hash = String(repeating: "ab", count: 32)
        let issued = PlatformEvent.apiKeyIssued(.init(key: key, hash: hash, role: .auditor, scopes: ["read"]))
        try story.tell(issued, of: "auditor", org: nil)
        let log = try await story.told()
        let row = try #require(try await ShadowBuild(log: log).rows(of: "api_keys", at: .now)?.value.rows.first).row
        #expect(row["id"] == .string(key.description) && row["hash"] == nil)
    }
}

extension Story {
    /// A log in memory with the story in it.
    fileprivate func told() async throws -> MemoryLog {
        let log = MemoryLog()
        for event in events {
            let fact = NewEvent(id: event.id, type: event.type, payload: event.payload ?? [])
            let write = StreamWrite(event.stream, organization: event.organization, expecting: .any, events: [fact])
            _ = try await log.append(
                AppendRequest(causation: Causation(actor: event.actor, command: event.command), writes: [write])
            )
        }
        return log
    }
}
