import FoundationEssentials
import Kernel
import Testing

/// An instance changes its plan: up at once, down when the period has ended.
@Suite("Plans", .wholeMachine, .timeLimit(.minutes(15)))
struct PlanTests {
    @Test("an upgrade changes what runs, then what is paid; a downgrade waits, and can be given up")
    func plans() async throws {
        try await Story.told { story, dev in
            let ids = try await story.provisioned("acme", price: "pro-monthly")
            let billing = Client(base: story.running.billing, key: try dev.key("billing"))

            let lower = try await story.change(ids.instance, "upgrade", to: "starter-monthly")
            #expect(lower.status == 409, "\(lower.text)")
            #expect(lower.json["type"]?.string?.hasSuffix("lower-rank") == true)
            // The larger plan has a canary, which is looked at before it takes over.
            let upgrade = try await story.change(ids.instance, "upgrade", to: "team-monthly")
            #expect(upgrade.status == 202, "\(upgrade.text)")
            #expect(try await story.ended(try upgrade.operation) == "completed")
            let instance = try await story.instance(ids.instance, becomes: "running")
            #expect(instance["plan"]?["tier"] == "TEAM")
            let task = try await story.task(of: ids.organization)
            #expect(task["Resources"]?["MemoryMB"] == 4096)
            _ = try await story.reached("acme")
            #expect(try await billing.statuses(of: ids.organization) == ["ACTIVE", "CANCELED"])
            let paid = try await story.client.get("/v1/subscriptions/" + ids.subscription).json
            #expect(paid["price"]?["code"] == "team-monthly" && paid["pendingChange"] == .null)

            let downgrade = try await story.change(ids.instance, "downgrade", to: "starter-monthly")
            #expect(downgrade.status == 202, "\(downgrade.text)")
            let operation = try downgrade.operation
            try await eventually(within: .seconds(60), { "the downgrade does not wait" }) {
                let json = try await story.client.get("/v1/operations/" + operation).json
                return json["status"] == "waiting" && json["kind"] == "downgrade-plan" ? () : nil
            }
            let pending = try await story.client.get("/v1/subscriptions/" + ids.subscription).json["pendingChange"]
            let end = try #require(pending?["effectiveAt"]?.string.flatMap { Timestamp($0) })
            #expect(end.microseconds % 86_400_000_000 == 0, "a period ends at midnight")
            // It is a mark on an instance that runs: other things can be done with it meanwhile.
            _ = try await story.instance(ids.instance, becomes: "running")
            let kept = try await story.client.send("DELETE", "/v1/instances/\(ids.instance)/scheduled-change")
            #expect(kept.status == 204, "\(kept.text)")
            #expect(["compensated", "superseded"].contains(try await story.ended(operation)))
            let again = try await story.client.send("DELETE", "/v1/instances/\(ids.instance)/scheduled-change")
            #expect(again.status == 409)
        }
    }

    @Test("whichever append is the last before kill -9, a change is made once", arguments: [3, 6])
    func crashes(append: Int) async throws {
        let dev = try DevProcess()
        defer { dev.remove() }
        let ids = try await dev.run { running in
            try await Story(running: running).provisioned("acme", price: "starter-monthly")
        }.value
        let changes: [(verb: String, price: String?)] = [("rotate-credentials", nil), ("upgrade", "pro-monthly")]
        for (verb, price) in changes {
            let (started, crashed) = try await dev.crash(
                after: append,
                within: .seconds(40),
                operation: \.self
            ) { story in try await story.change(ids.instance, verb, to: price).operation }
            #expect(crashed, "\(verb) has fewer than \(append) appends")
            try await dev.run { running in
                let story = Story(running: running)
                #expect(try await story.ended(started) == "completed", "\(verb)")
                _ = try await story.instance(ids.instance, becomes: "running")
                _ = try await story.reached("acme")
                let billing = Client(base: running.billing, key: try dev.key("billing"))
                #expect(
                    try await billing.statuses(of: ids.organization)
                        == (price == nil ? ["ACTIVE"] : ["ACTIVE", "CANCELED"])
                )
            }
        }
        #expect(dev.survivors == [])
    }
}

extension Story {
    fileprivate func change(_ instance: String, _ verb: String, to price: String?) async throws -> Client.Answer {
        let body: JSONValue = price.map { ["priceId": .string($0)] } ?? [:]
        return try await client.post("/v1/instances/\(instance)/\(verb)", body)
    }

    /// The task of the organization's job as the scheduler has it.
    fileprivate func task(of organization: String) async throws -> JSONValue {
        let nomad = Client(base: running.nomad, key: nil)
        let job = try await nomad.get("/v1/job/railzway-org-\(organization)").json
        return try #require(job["TaskGroups"]?.array?.first?["Tasks"]?.array?.first)
    }
}

extension Client.Answer {
    fileprivate var operation: String {
        get throws { try #require(json["operation"]?["id"]?.string, "\(text)") }
    }
}

extension Client {
    /// What becomes of all subscriptions of an organization, in order.
    fileprivate func statuses(of organization: String) async throws -> [String] {
        let customers = try await get("/api/customers?email=org_\(organization)@localhost").json["data"]?.array
        let customer = customers?.first?["id"]?.string ?? "?"
        let all = try await get("/api/subscriptions?customer_id=\(customer)").json["data"]?.array
        return (all ?? []).compactMap { ($0["Status"] ?? $0["status"])?.string }.sorted()
    }
}
