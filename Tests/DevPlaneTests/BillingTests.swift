import DevPlane
import Kernel
import SignalboxTestKit
import Testing

@Suite("Billing engine")
struct BillingTests {
    private static let seeds = ["free-trial", "starter", "pro", "team", "enterprise"].enumerated().map { place, name in
        BillingEngine.SeedPrice(code: name + "-monthly", name: name, currency: "USD", amount: Int64(place) * 1900)
    }

    private func withBilling<Value: Sendable>(
        in folder: String? = nil,
        _ adjust: (inout BillingEngine.Configuration) -> Void = { _ in },
        _ body: @Sendable @escaping (Client) async throws -> Value
    ) async throws -> Value {
        guard let folder else { return try await withFolder { try await withBilling(in: $0, adjust, body) } }
        var configuration = BillingEngine.Configuration(
            directory: folder,
            apiKey: "vk_live_key_1_x",
            prices: Self.seeds
        )
        adjust(&configuration)
        let engine = BillingEngine(configuration, logger: quiet)
        return try await serving(engine) {
            try await body(Client(port: try await engine.port, headers: ["Authorization": "Bearer vk_live_key_1_x"]))
        }
    }

    @Sendable private static func customer(_ billing: Client, key: String = "c") async throws -> Reply {
        let body: JSONValue = ["name": "Acme", "email": "org_1@railzway.com", "metadata": ["external_id": "org_1"]]
        return try await billing.send("POST", "/api/customers", body, headers: ["Idempotency-Key": key])
    }

    @Sendable private static func draft(
        _ billing: Client,
        key: String = "s",
        price code: String = "team-monthly"
    ) async throws -> Reply {
        let customer = try await Self.customer(billing).json["data"]?["id"] ?? nil
        let price = try await billing.get("/api/prices?code=\(code)").json["data"]?.array?.first?["id"] ?? nil
        let body: JSONValue = [
            "customer_id": customer, "collection_mode": "CHARGE_AUTOMATICALLY", "billing_cycle_type": "monthly",
            "items": [["price_id": price, "quantity": 1]],
        ]
        return try await billing.send("POST", "/api/subscriptions", body, headers: ["Idempotency-Key": key])
    }

    @Test("only the key is let in, and only as its own organization")
    func authorization() async throws {
        try await withBilling { billing in
            let stranger = try await Client(port: billing.port).get("/api/prices")
            #expect(stranger.status == 401)
            #expect(stranger.json["error"]?["type"] == "unauthorized")
            let other = try await billing.send("GET", "/api/prices", headers: ["X-Org-Id": "42"])
            #expect(other.status == 401)
            #expect(try await Client(port: billing.port).get("/health").json == ["status": "ok"])
        }
    }

    @Test("prices and their amounts are there from the start")
    func prices() async throws {
        try await withBilling { billing in
            let price = try #require(try await billing.get("/api/prices?code=team-monthly").json["data"]?.array?.first)
            #expect(price["code"] == "team-monthly")
            let amounts = try await billing.get("/api/price_amounts?price_id=\(price["id"]?.string ?? "")").json[
                "data"
            ]?.array
            #expect(amounts?.count == 1)
            #expect(amounts?.first?["unit_amount_cents"]?.integer == 5700)
            #expect(amounts?.first?["currency"] == "USD")
        }
    }

    @Test("lists come in pages of ten at most, unless more are asked for")
    func pages() async throws {
        try await withBilling { billing in
            for number in 0..<12 {
                let body: JSONValue = ["name": "N", "email": .string("\(number)@x.y")]
                _ = try await billing.send("POST", "/api/customers", body)
            }
            let first = try await billing.get("/api/customers").json
            #expect(first["data"]?.array?.count == 10)
            #expect(first["page_info"]?["has_more"]?.bool == true)
            let token = first["page_info"]?["next_page_token"]?.string ?? ""
            let second = try await billing.get("/api/customers?page_token=\(token.replacing("=", with: "%3D"))").json
            #expect(second["data"]?.array?.count == 2)
            #expect(second["page_info"]?["has_more"]?.bool == false)
            let found = try await billing.get("/api/customers?email=3@x.y").json["data"]?.array
            #expect(found?.count == 1)
        }
    }

    @Test("a key finds what it made first, whatever else is sent with it")
    func idempotency() async throws {
        try await withBilling { billing in
            let customer = try await Self.customer(billing)
            #expect(try await Self.customer(billing).json["data"]?["id"] == customer.json["data"]?["id"])
            #expect(try await Self.customer(billing, key: "d").json["data"]?["id"] != customer.json["data"]?["id"])
            #expect(customer.json["data"]?["metadata"] == [:])
            let draft = try await Self.draft(billing)
            let other = try await Self.draft(billing, price: "pro-monthly")
            #expect(other.json["data"] == draft.json["data"])
        }
    }

    @Test("a subscription is created in snake_case and read in PascalCase")
    func spelling() async throws {
        try await withBilling { billing in
            let created = try #require(try await Self.draft(billing).json["data"])
            #expect(created["status"] == "DRAFT")
            #expect(created["items"]?.array?.first?["price_code"] == "team-monthly")
            let read = try #require(
                try await billing.get("/api/subscriptions/\(created["id"]?.string ?? "")").json["data"]
            )
            #expect(read["ID"] == created["id"])
            #expect(read["Status"] == "DRAFT")
            #expect(read["status"] == nil)
            #expect(read["IdempotencyKey"] == "s")
        }
    }

    @Test("the states follow each other as they do there")
    func states() async throws {
        try await withBilling { billing in
            let id = try await Self.draft(billing).json["data"]?["id"]?.string ?? ""
            func move(_ verb: String) async throws -> Reply {
                try await billing.send("POST", "/api/subscriptions/\(id)/\(verb)")
            }
            func status() async throws -> JSONValue? {
                try await billing.get("/api/subscriptions/\(id)").json["data"]?["Status"]
            }
            for verb in ["cancel", "pause", "resume"] {
                let refused = try await move(verb)
                #expect(refused.status == 400)
                #expect(refused.json["error"]?["errors"]?.array?.first?["code"] == "invalid_transition")
            }
            for (verb, expected) in [
                ("activate", "ACTIVE"), ("activate", "ACTIVE"), ("pause", "PAUSED"), ("pause", "PAUSED"),
                ("resume", "ACTIVE"),
                ("pause", "PAUSED"), ("activate", "ACTIVE"), ("cancel", "CANCELED"), ("cancel", "CANCELED"),
            ] {
                let moved = try await move(verb)
                #expect(moved.status == 204)
                #expect(moved.text.isEmpty)
                #expect(try await status() == .string(expected))
            }
            #expect(try await move("activate").status == 400)
        }
    }

    @Test("what cannot be is refused with its code")
    func refusals() async throws {
        try await withBilling { billing in
            let malformed = try await billing.get("/api/subscriptions/x")
            #expect(malformed.status == 400)
            #expect(malformed.json["error"]?["errors"]?.array?.first?["code"] == "invalid_id")
            #expect(try await billing.get("/api/subscriptions/17").status == 404)
            #expect(try await billing.send("PUT", "/api/subscriptions/17/items", ["items": []]).status == 403)
            #expect(try await billing.send("POST", "/api/subscriptions/17/change-plan", [:]).status == 404)
            #expect(try await billing.send("POST", "/api/usage", [:]).status == 403)
            let nobody = try await billing.send("POST", "/api/subscriptions", ["customer_id": "17"])
            #expect(nobody.json["error"]?["errors"]?.array?.first?["code"] == "missing_customer")
        }
    }

    @Test("the quota comes before the key, and too many requests are too many")
    func limits() async throws {
        try await withBilling({ $0.customerQuota = 1 }) { billing in
            let first = try await Self.customer(billing)
            #expect(first.status == 200)
            #expect(try await Self.customer(billing).status == 402)
        }
        try await withBilling({ $0.requestLimit = 1 }) { billing in
            let first = try await billing.get("/api/prices")
            #expect(first.status == 200)
            #expect(try await billing.get("/api/prices").json["error"]?["type"] == "rate_limited")
        }
    }

    @Test("everything is still there after a restart; a price that changed gets a new amount")
    func restart() async throws {
        try await withFolder { folder in
            let id = try await withBilling(in: folder) { billing in
                let id = try await Self.draft(billing).json["data"]?["id"]?.string ?? ""
                _ = try await billing.send("POST", "/api/subscriptions/\(id)/activate")
                return id
            }
            try await withBilling(in: folder, { $0.prices[3].amount = 9900 }) { billing in
                let read = try await billing.get("/api/subscriptions/\(id)").json["data"]
                #expect(read?["Status"] == "ACTIVE")
                #expect(try await Self.draft(billing).json["data"]?["id"]?.string == id)
                #expect(try await billing.get("/api/prices").json["data"]?.array?.count == 5)
                let price =
                    try await billing.get("/api/prices?code=team-monthly").json["data"]?.array?.first?["id"]?.string
                    ?? ""
                let amounts = try await billing.get("/api/price_amounts?price_id=\(price)").json["data"]?.array ?? []
                #expect(
                    amounts.filter { $0["effective_to"] == nil || $0["effective_to"] == .null }.map {
                        $0["unit_amount_cents"]
                    } == [9900]
                )
                #expect(amounts.count == 2)
            }
        }
    }
}
