import Adapters
import Kernel
import Platform
import Testing

@Suite("Billing client")
struct BillingClientTests {
    private static let price = BillingPrice(code: "team-monthly", currency: "USD", amount: 9900)

    private func with<Value: Sendable>(
        _ engine: FakeBilling,
        _ body: @escaping @Sendable (BillingClient) async throws -> Value
    ) async throws -> Value {
        try await withService {
            try await engine.answer($0)
        } _: { base in
            let headers = BillingClient.headers(key: Secret("vk_live_key_1_s"))
            let caller = HTTPCaller(client: OutboundClient.shared, base: base, headers: headers, timeout: .seconds(20))
            return try await body(BillingClient(caller: caller))
        }
    }

    @Test("a customer is found by email before one is made, and made with a key")
    func customer() async throws {
        let engine = FakeBilling()
        try await with(engine) { billing in
            let key = "sbx1:org:42:customer"
            let first = try await billing.ensureCustomer(email: "org_42@railzway.com", name: "Acme", key: key)
            let again = try await billing.ensureCustomer(email: "org_42@railzway.com", name: "Acme", key: key)
            #expect(first == again)
            #expect(await engine.posts.map(\.key) == [key])
            let other = try await billing.ensureCustomer(email: "org_43@railzway.com", name: "Beta", key: "k")
            #expect(other != first, "the engine takes no notice of the filter")
        }
    }

    @Test("a quota that refuses a repetition does not hide the customer it made")
    func quota() async throws {
        let engine = FakeBilling()
        try await with(engine) { billing in
            await engine.refuseAfterDoing(.json(["error": ["type": "quota_exceeded", "message": "x"]], status: 402))
            let id = try await billing.ensureCustomer(email: "org_42@railzway.com", name: "Acme", key: "k")
            #expect(id == "1000")
            await engine.refuseBeforeDoing(.json(["error": ["type": "quota_exceeded", "message": "x"]], status: 402))
            let error = await #expect(throws: PortError.self) {
                try await billing.ensureCustomer(email: "org_43@railzway.com", name: "Beta", key: "l")
            }
            guard case .blocked = error else { return #expect(Bool(false), "\(String(describing: error))") }
        }
    }

    @Test("a draft is made for the price of that code, on whichever page it is, and is read in either spelling")
    func draft() async throws {
        let engine = FakeBilling()
        try await with(engine) { billing in
            let draft = try await billing.ensureDraft(customer: "1", price: Self.price, key: "sbx1:sub:7:g1:create")
            #expect(draft.status == .draft)
            #expect(
                try await billing.ensureDraft(customer: "1", price: Self.price, key: "sbx1:sub:7:g1:create") == draft
            )
            #expect(try await billing.subscription(draft.id) == draft)
            #expect(await engine.posts.allSatisfy { $0.body["items"]?.array?[0]["price_id"] == "503" })
        }
    }

    @Test(
        "a price that is not what the customer was told stops everything",
        arguments: [
            BillingPrice(code: "team-monthly", currency: "USD", amount: 9901),
            BillingPrice(code: "team-monthly", currency: "EUR", amount: 9900),
            // That amount has ended, or has not begun.
            BillingPrice(code: "team-monthly", currency: "USD", amount: 8900),
            BillingPrice(code: "team-monthly", currency: "USD", amount: 10900),
        ]
    )
    func priceDiffers(price: BillingPrice) async throws {
        let engine = FakeBilling()
        try await with(engine) { billing in
            let error = await #expect(throws: PortError.self) {
                try await billing.ensureDraft(customer: "1", price: price, key: "k")
            }
            #expect(error?.code == "billing.price-differs")
            #expect(await engine.posts.isEmpty)
        }
    }

    @Test("a price that is unknown or retired is no price", arguments: ["gold-monthly", "old-monthly"])
    func noPrice(code: String) async throws {
        try await with(FakeBilling()) { billing in
            let error = await #expect(throws: PortError.self) {
                try await billing.ensureDraft(
                    customer: "1",
                    price: .init(code: code, currency: "USD", amount: 1),
                    key: "k"
                )
            }
            #expect(error?.code == "billing.no-price")
        }
    }

    @Test("a key whose subscription has ended is one for a person")
    func keySpent() async throws {
        let engine = FakeBilling()
        try await with(engine) { billing in
            let draft = try await billing.ensureDraft(customer: "1", price: Self.price, key: "k")
            try await billing.activate(draft.id)
            try await billing.cancel(draft.id)
            let error = await #expect(throws: PortError.self) {
                try await billing.ensureDraft(customer: "1", price: Self.price, key: "k")
            }
            #expect(error?.code == "billing.key-spent")
        }
    }

    @Test("transitions may be repeated, and impossible ones are told apart by the state")
    func transitions() async throws {
        try await with(FakeBilling()) { billing in
            let draft = try await billing.ensureDraft(customer: "1", price: Self.price, key: "k")
            let early = await #expect(throws: PortError.self) { try await billing.cancel(draft.id) }
            guard case .conflict(code: "billing.draft", _) = early else {
                return #expect(Bool(false), "\(String(describing: early))")
            }
            for _ in 0..<2 { try await billing.activate(draft.id) }
            #expect(try await billing.subscription(draft.id).status == .active)
            for _ in 0..<2 { try await billing.pause(draft.id, key: "p") }
            #expect(try await billing.subscription(draft.id).status == .paused)
            for _ in 0..<2 { try await billing.resume(draft.id, key: "r") }
            #expect(try await billing.subscription(draft.id).status == .active)
            for _ in 0..<2 { try await billing.cancel(draft.id) }
            for move in [billing.pause, billing.resume] {
                let over = await #expect(throws: PortError.self) { try await move(draft.id, "o") }
                guard case .permanent(code: "billing.canceled", _) = over else {
                    return #expect(Bool(false), "\(String(describing: over))")
                }
            }
            let late = await #expect(throws: PortError.self) { try await billing.activate(draft.id) }
            guard case .permanent(code: "billing.canceled", _) = late else {
                return #expect(Bool(false), "\(String(describing: late))")
            }
        }
    }

    @Test("whoever lost its lease changes nothing any more")
    func lost() async throws {
        let engine = FakeBilling()
        try await with(engine) { billing in
            let draft = try await billing.ensureDraft(customer: "1", price: Self.price, key: "l")
            let before = await engine.changes
            let late = await EffectLease.$watch.withValue(EffectLease.Watch { false }) {
                await #expect(throws: PortError.self) {
                    _ = try await billing.changeItems(of: draft.id, to: Self.price, key: "i")
                }
            }
            #expect(late?.code == "lease-lost")
            #expect(await engine.changes == before)
        }
    }

    @Test("every POST carries a key")
    func keys() async throws {
        let engine = FakeBilling()
        try await with(engine) { billing in
            _ = try await billing.ensureCustomer(email: "e", name: "n", key: "k")
            let draft = try await billing.ensureDraft(customer: "1", price: Self.price, key: "l")
            try await billing.activate(draft.id)
            try await billing.pause(draft.id, key: "m")
            try await billing.resume(draft.id, key: "n")
            try await billing.cancel(draft.id)
            #expect(await engine.posts.count == 6)
            #expect(Set(await engine.posts.map(\.key)).count == 6)
            #expect(await engine.posts.allSatisfy { !$0.key.isEmpty })
        }
    }

    static let table: [(Int, String, String)] = [
        (400, "validation_error", "permanent"), (401, "unauthorized", "blocked"), (402, "quota_exceeded", "blocked"),
        (403, "forbidden", "blocked"), (404, "not_found", "permanent"), (409, "conflict", "conflict"),
        (428, "precondition_required", "blocked"), (429, "rate_limited", "transient"),
        (500, "internal_error", "unknown"), (503, "service_unavailable", "transient"),
    ]

    @Test("every answer has its class", arguments: table.indices)
    func classes(row: Int) async throws {
        let (status, type, expected) = Self.table[row]
        let engine = FakeBilling()
        await engine.refuseBeforeDoing(
            .json(
                ["error": ["type": .string(type), "message": "private words"]],
                status: status,
                headers: ["Retry-After": "3"]
            )
        )
        try await with(engine) { billing in
            let error = await #expect(throws: PortError.self) { try await billing.activate("1") }
            #expect(error.map(TenantRefusalTests.name) == expected)
            #expect(error?.code == "billing." + type)
            #expect("\(String(describing: error))".contains("private words") == false)
            if case .transient(_, _, let after) = error { #expect(after == .seconds(3)) }
        }
    }

    @Test("an answer that does not come leaves a question")
    func silent() async throws {
        let error = try await withService { _ in
            try await Task.sleep(for: .seconds(30))
            return .json([:])
        } _: { base in
            let caller = HTTPCaller(client: OutboundClient.shared, base: base, timeout: .milliseconds(200))
            return await #expect(throws: PortError.self) { try await BillingClient(caller: caller).activate("1") }
        }
        guard case .unknown(code: "billing.lost", _) = error else {
            return #expect(Bool(false), "\(String(describing: error))")
        }
    }
}
