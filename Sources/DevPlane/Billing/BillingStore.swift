internal import FoundationEssentials
internal import Kernel

/// A refusal in the billing engine's words.
struct BillingRefusal: Error, Equatable {
    var status: Int
    var type: String
    var message: String
    var code: String?

    /// What is wrong with a request.
    static func invalid(_ code: String) -> BillingRefusal {
        BillingRefusal(status: 400, type: "validation_error", message: "validation error", code: code)
    }

    static let missing = BillingRefusal(status: 404, type: "not_found", message: "not found")
    static let forbidden = BillingRefusal(status: 403, type: "forbidden", message: "forbidden")

    var answer: Answer {
        var error: [String: JSONValue] = ["type": .string(type), "message": .string(message)]
        if let code { error["errors"] = [["field": "", "code": .string(code), "message": .string(code)]] }
        return .json(["error": .object(error)], status: status)
    }
}

/// Owns what the billing engine knows.
actor BillingStore {
    private(set) var products: [Int64: BillingProduct] = [:]
    private(set) var prices: [Int64: BillingPriceRecord] = [:]
    private(set) var amounts: [Int64: BillingAmount] = [:]
    private(set) var customers: [Int64: BillingCustomer] = [:]
    private(set) var subscriptions: [Int64: BillingSubscriptionRecord] = [:]
    private var restored: [BillingChange]
    private let journal: Journal<BillingChange>
    private let ids: IDSource
    /// The only organization there is.
    let organization = "1000000000000000001"

    /// Reads what an earlier run left behind; ``begin(with:)`` takes it in.
    ///
    /// - Throws: What the file system says.
    init(_ configuration: BillingEngine.Configuration, ids: IDSource) throws {
        self.ids = ids
        var changes: [BillingChange] = []
        journal = try Journal(configuration.directory + "/state.jsonl") { changes.append($0) }
        var last: [String: BillingChange] = [:]
        for change in changes { last[change.identity] = change }
        try journal.rewrite(last.sorted { $0.key < $1.key }.map(\.value))
        restored = Array(last.values)
    }

    /// Takes in what an earlier run left behind, and adds the prices that are new.
    func begin(with prices: [BillingEngine.SeedPrice]) throws {
        for change in restored { apply(change) }
        restored = []
        for seed in prices { try plant(seed) }
    }

    private func plant(_ seed: BillingEngine.SeedPrice) throws {
        let now = ids.now()
        var price = prices.values.first { $0.code == seed.code }
        if price == nil {
            let product = BillingProduct(id: snowflake(), code: seed.code, name: seed.name, created: now)
            let metadata = JSONValue.object(seed.metadata.mapValues { .string($0) })
            let new = BillingPriceRecord(
                id: snowflake(),
                product: product.id,
                code: seed.code,
                name: seed.name,
                metadata: metadata,
                created: now
            )
            try record(.product(product))
            try record(.price(new))
            price = new
        }
        guard let price else { return }
        let current = amounts.values.filter { $0.price == price.id && $0.until == nil }
        if current.contains(where: { $0.currency == seed.currency && $0.cents == seed.amount }) { return }
        for var amount in current {
            amount.until = now
            try record(.amount(amount))
        }
        let amount = BillingAmount(
            id: snowflake(),
            price: price.id,
            currency: seed.currency,
            cents: seed.amount,
            from: now,
            created: now
        )
        try record(.amount(amount))
    }

    private func record(_ change: BillingChange) throws {
        try journal.append(change)
        apply(change)
    }

    private func apply(_ change: BillingChange) {
        switch change {
        case .product(let product): products[product.id] = product
        case .price(let price): prices[price.id] = price
        case .amount(let amount): amounts[amount.id] = amount
        case .customer(let customer): customers[customer.id] = customer
        case .subscription(let subscription): subscriptions[subscription.id] = subscription
        }
    }

    private func snowflake() -> Int64 {
        // Milliseconds since 2024-01-01 and 22 random bits.
        (ids.now().microseconds / 1000 - 1_704_067_200_000) << 22 | Int64(ids.random() & 0x3F_FFFF)
    }

    // MARK: - What can be asked

    func createCustomer(_ call: Call, quota: Int?) throws -> JSONValue {
        let body = try body(of: call)
        // The real engine looks at its quota before it looks at the key.
        if let quota, customers.count >= quota {
            throw BillingRefusal(status: 402, type: "quota_exceeded", message: "customer quota exceeded")
        }
        let key = call.header("Idempotency-Key")
        if let key, let known = customers.values.first(where: { $0.key == key }) {
            return known.json(organization: organization)
        }
        guard let name = body["name"]?.string, !name.isEmpty else { throw BillingRefusal.invalid("invalid_name") }
        guard let email = body["email"]?.string, email.contains("@") else {
            throw BillingRefusal.invalid("invalid_email")
        }
        let customer = BillingCustomer(id: snowflake(), name: name, email: email, key: key, created: ids.now())
        try record(.customer(customer))
        return customer.json(organization: organization)
    }

    func createSubscription(_ call: Call) throws -> JSONValue {
        let body = try body(of: call)
        let key = call.header("Idempotency-Key")
        // The key decides alone: another body with the same key silently gets the old one.
        if let key, let known = subscriptions.values.first(where: { $0.key == key }) {
            return known.created(organization: organization, prices: prices)
        }
        guard let customer = body["customer_id"]?.string.flatMap({ Int64($0) }), customers[customer] != nil else {
            throw BillingRefusal.invalid("missing_customer")
        }
        let given = body["items"]?.array ?? []
        guard !given.isEmpty else { throw BillingRefusal.invalid("missing_subscription_items") }
        guard given.count == 1 else { throw BillingRefusal.invalid("multiple_flat_prices_not_allowed") }
        guard let cycle = body["billing_cycle_type"]?.string, ["monthly", "MONTHLY"].contains(cycle) else {
            throw BillingRefusal.invalid("invalid_billing_cycle_type")
        }
        let items = try self.items(given)
        let now = ids.now()
        let subscription = BillingSubscriptionRecord(
            id: snowflake(),
            customer: customer,
            collectionMode: body["collection_mode"]?.string ?? "CHARGE_AUTOMATICALLY",
            cycle: cycle,
            items: items,
            metadata: body["metadata"] ?? [:],
            key: key,
            created: now,
            updated: now
        )
        try record(.subscription(subscription))
        return subscription.created(organization: organization, prices: prices)
    }

    /// Other items for an active subscription; those that it has are replaced.
    func changeItems(_ id: String, _ call: Call) throws -> JSONValue {
        var subscription = try subscription(id)
        guard subscription.status == "ACTIVE" else { throw BillingRefusal.invalid("invalid_status") }
        let given = try body(of: call)["items"]?.array ?? []
        guard !given.isEmpty else { throw BillingRefusal.invalid("missing_subscription_items") }
        guard given.count == 1 else { throw BillingRefusal.invalid("multiple_flat_prices_not_allowed") }
        subscription.items = try items(given)
        subscription.updated = ids.now()
        try record(.subscription(subscription))
        return subscription.created(organization: organization, prices: prices)
    }

    private func items(_ given: [JSONValue]) throws -> [BillingSubscriptionRecord.Item] {
        try given.map { item in
            guard let price = item["price_id"]?.string.flatMap({ Int64($0) }).flatMap({ prices[$0] }), price.isActive
            else {
                throw BillingRefusal.invalid("invalid_price")
            }
            guard amounts.values.contains(where: { $0.price == price.id && $0.until == nil }) else {
                throw BillingRefusal.invalid("missing_pricing")
            }
            return BillingSubscriptionRecord.Item(
                id: snowflake(),
                price: price.id,
                quantity: item["quantity"]?.integer ?? 1
            )
        }
    }

    /// `activate`, `pause`, `resume` or `cancel`; fine when it is so already.
    func move(_ id: String, _ verb: String) throws {
        var subscription = try subscription(id)
        let now = ids.now()
        let target: String
        switch (verb, subscription.status) {
        case ("activate", "DRAFT"):
            target = "ACTIVE"
            subscription.activated = now
        case ("activate", "PAUSED"), ("resume", "PAUSED"):
            target = "ACTIVE"
            subscription.resumed = now
        case ("pause", "ACTIVE"):
            target = "PAUSED"
            subscription.paused = now
        case ("cancel", "ACTIVE"), ("cancel", "PAUSED"):
            target = "CANCELED"
            subscription.cancelled = now
        case ("activate", "ACTIVE"), ("resume", "ACTIVE"), ("pause", "PAUSED"), ("cancel", "CANCELED"):
            return
        default:
            throw BillingRefusal.invalid("invalid_transition")
        }
        subscription.status = target
        subscription.updated = now
        try record(.subscription(subscription))
    }

    func subscription(_ id: String) throws -> BillingSubscriptionRecord {
        guard let number = Int64(id) else { throw BillingRefusal.invalid("invalid_id") }
        guard let subscription = subscriptions[number] else { throw BillingRefusal.missing }
        return subscription
    }

    func createProduct(_ call: Call) throws -> JSONValue {
        let body = try body(of: call)
        let key = call.header("Idempotency-Key")
        if let key, let known = products.values.first(where: { $0.key == key }) {
            return known.json(organization: organization)
        }
        guard let code = body["code"]?.string, let name = body["name"]?.string else {
            throw BillingRefusal.invalid("invalid_product")
        }
        let product = BillingProduct(
            id: snowflake(),
            code: code,
            name: name,
            isActive: body["active"]?.bool ?? true,
            metadata: body["metadata"] ?? [:],
            key: key,
            created: ids.now()
        )
        try record(.product(product))
        return product.json(organization: organization)
    }

    func createPrice(_ call: Call) throws -> JSONValue {
        let body = try body(of: call)
        let key = call.header("Idempotency-Key")
        if let key, let known = prices.values.first(where: { $0.key == key }) {
            return known.json(organization: organization)
        }
        guard let product = body["product_id"]?.string.flatMap({ Int64($0) }), products[product] != nil else {
            throw BillingRefusal.invalid("invalid_product")
        }
        guard let code = body["code"]?.string else { throw BillingRefusal.invalid("invalid_price") }
        let price = BillingPriceRecord(
            id: snowflake(),
            product: product,
            code: code,
            name: body["name"]?.string ?? code,
            isActive: body["active"]?.bool ?? true,
            metadata: body["metadata"] ?? [:],
            key: key,
            created: ids.now()
        )
        try record(.price(price))
        return price.json(organization: organization)
    }

    func createAmount(_ call: Call) throws -> JSONValue {
        let body = try body(of: call)
        let key = call.header("Idempotency-Key")
        if let key, let known = amounts.values.first(where: { $0.key == key }) {
            return known.json(organization: organization)
        }
        guard let price = body["price_id"]?.string.flatMap({ Int64($0) }), prices[price] != nil else {
            throw BillingRefusal.invalid("invalid_price")
        }
        guard let currency = body["currency"]?.string, let cents = body["unit_amount_cents"]?.integer else {
            throw BillingRefusal.invalid("missing_pricing")
        }
        let now = ids.now()
        let amount = BillingAmount(
            id: snowflake(),
            price: price,
            currency: currency,
            cents: cents,
            from: now,
            key: key,
            created: now
        )
        try record(.amount(amount))
        return amount.json(organization: organization)
    }

    private func body(of call: Call) throws -> JSONValue {
        guard let body = call.json, body.object != nil else { throw BillingRefusal.invalid("invalid_request") }
        return body
    }
}

extension BillingChange {
    /// Sorts as its record was made, and is the same for a later state of it.
    fileprivate var identity: String {
        switch self {
        case .product(let record): "\(record.id)"
        case .price(let record): "\(record.id)"
        case .amount(let record): "\(record.id)"
        case .customer(let record): "\(record.id)"
        case .subscription(let record): "\(record.id)"
        }
    }
}
