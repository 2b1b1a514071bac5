import Domain
import Kernel
import Testing

@testable import Projections

@Suite("The instances read model")
struct InstanceFoldTests {
    @Test("an instance that was asked for is provisioning, with nothing done yet")
    func requested() throws {
        var story = Story()
        try story.tell(Story.requested(), of: 400)
        let row = try #require(try story.rows(of: Instances.self)["400"])
        #expect(row.status == .provisioning)
        #expect(row.desiredRelease == "1.2.3")
        #expect(row.conditions.isEmpty && row.slots.isEmpty && row.launchURL == nil && row.lastError == nil)
        #expect(row.createdAt == Story.moment(1) && row.updatedAt == Story.moment(1) && row.version == 1)
    }

    @Test("a provisioned instance runs, serves from slot a and says where")
    func running() throws {
        var story = Story()
        try story.onboard()
        try story.provision(cause: 3)
        let row = try #require(try story.rows(of: Instances.self)["400"])
        #expect(row.status == .running)
        #expect(row.launchURL == "http://acme.localhost/login/railzway_com")
        #expect(row.slots.map(\.status) == [.serving])
        #expect(row.slots.first?.weight == 100)
        #expect(row.conditions.map(\.type) == ["WorkloadRegistered", "Healthy", "RoutePublished"])
        #expect(row.conditions.allSatisfy { $0.status == .yes })
        #expect(row.version == 5)
    }

    @Test("a failed provisioning says why, and a retry starts afresh with the next generation")
    func failedAndRetried() throws {
        var story = Story()
        try story.tell(Story.requested(), of: 400)
        try story.tell(
            InstanceEvent.databaseProvisioned(.init(database: "d", role: "r", host: "h", port: 1, generation: 1)),
            of: 400
        )
        let failure = InstanceEvent.ProvisioningFailed(
            step: "workload",
            failure: "permanent",
            reason: "no room",
            generation: 1
        )
        try story.tell(InstanceEvent.provisioningFailed(failure), of: 400)
        let failed = try #require(try story.rows(of: Instances.self)["400"])
        #expect(failed.status == .provisioningFailed)
        #expect(failed.conditions.map(\.status) == [.no])
        #expect(failed.lastError?.step == "workload" && failed.lastError?.reason == "no room")
        try story.tell(InstanceEvent.retryRequested(.init(generation: 2)), of: 400)
        let retried = try #require(try story.rows(of: Instances.self)["400"])
        #expect(retried.status == .provisioning && retried.generation == 2)
        #expect(retried.lastError == nil && retried.conditions.isEmpty)
    }

    @Test("what an abandoned provisioning made is left as it is, and nobody says that it is gone")
    func abandoned() throws {
        var story = Story()
        try story.tell(Story.requested(), of: 400)
        try story.tell(InstanceEvent.isolationApplied(.init(database: "d", connectionLimit: 5)), of: 400)
        let failure = InstanceEvent.ProvisioningFailed(
            step: "register-job",
            failure: "abandoned",
            reason: "done by hand",
            generation: 1
        )
        try story.tell(InstanceEvent.provisioningFailed(failure), of: 400)
        let row = try #require(try story.rows(of: Instances.self)["400"])
        #expect(row.status == .provisioningFailed)
        #expect(row.conditions.map(\.status) == [.unknown] && row.conditions.map(\.message) == ["abandoned"])
    }

    @Test("a condition keeps its since while its status stays the same")
    func since() throws {
        var story = Story()
        try story.tell(Story.requested(), of: 400)
        for (status, reason) in [(ConditionStatus.yes, "one"), (.yes, "two"), (.no, "three")] {
            let fact = InstanceEvent.Observed(condition: "Reachable", status: status, reason: reason, generation: 1)
            try story.tell(InstanceEvent.observed(fact), of: 400)
        }
        let two = try Story.fold(Instances.self, Array(story.events.prefix(3)), pages: [1]).rows["400"]?.conditions
            .first
        #expect(two?.since == Story.moment(2) && two?.reason == "two")
        let three = try story.rows(of: Instances.self)["400"]?.conditions.first
        #expect(three?.since == Story.moment(4) && three?.status == .no)
    }

    @Test(
        "each event leads to the state of the picture",
        arguments: [
            (InstanceEvent.stopRequested(Because(reason: "x")), InstanceRow.Status.stopping),
            (.stopped(Nothing()), .stopped),
            (.startRequested(Because(reason: "x")), .starting),
            (.started(Nothing()), .running),
            (.changeRequested(.init(change: "version", from: "1.2.3", to: "2.0.0")), .changing),
            (.changed(.init(change: "version", from: "1.2.3", to: "2.0.0")), .running),
            (.changeRolledBack(.init(change: "version", reason: "x")), .running),
            (.terminationRequested(Because(reason: "x")), .terminating),
            (.terminated(Nothing()), .terminated),
        ]
    )
    func states(event: InstanceEvent, status: InstanceRow.Status) throws {
        var story = Story()
        try story.tell(Story.requested(), of: 400)
        try story.tell(event, of: 400)
        #expect(try story.rows(of: Instances.self)["400"]?.status == status)
    }

    @Test("the API's shape shows what is absent as null")
    func shape() throws {
        var story = Story()
        try story.tell(Story.requested(), of: 400)
        let row = try #require(try story.rows(of: Instances.self)["400"])
        let json = try JSON.decode(JSONValue.self, from: try JSON.encode(InstanceView(row, subscription: .draft)))
        let members = try #require(json.object)
        #expect(
            Set(members.keys).isSuperset(of: [
                "id", "organizationId", "name", "kind", "status", "plan", "release", "desiredRelease", "computeEngine",
                "subscription", "launchUrl", "conditions", "slots", "lastError", "createdAt", "updatedAt",
            ])
        )
        #expect(members["launchUrl"] == .null && members["lastError"] == .null)
        #expect(members["id"] == "400")
        #expect(members["plan"]?["tier"] == "TEAM")
        #expect(members["release"]?["version"] == "1.2.3")
        #expect(members["subscription"] == ["id": "300", "status": "draft"])
        #expect(members["createdAt"] == .string(Story.moment(1).description))
    }
}
