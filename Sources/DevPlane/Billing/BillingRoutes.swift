internal import FoundationEssentials
internal import HTTPTypes
internal import Kernel
internal import Synchronization

/// The billing engine's HTTP API: envelopes, pages, and what an API key may not do.
struct BillingRoutes: Sendable {
    let store: BillingStore
    let configuration: BillingEngine.Configuration
    let ids: IDSource
    private let window = Window()

    init(store: BillingStore, configuration: BillingEngine.Configuration, ids: IDSource) {
        self.store = store
        self.configuration = configuration
        self.ids = ids
    }

    func answer(_ call: Call) async -> Answer {
        do {
            return try await route(call)
        } catch let refusal as BillingRefusal {
            return refusal.answer
        } catch {
            return BillingRefusal(status: 500, type: "internal_error", message: "internal error").answer
        }
    }

    private func route(_ call: Call) async throws -> Answer {
        switch call.segments {
        case ["health"]: return .json(["status": "ok"])
        case ["ready"]: return .json(["ready": true, "system_state": "ready", "issues": []])
        default: break
        }
        guard call.segments.first == "api", call.segments.count > 1 else { throw BillingRefusal.missing }
        try authorize(call)
        let organization = store.organization
        let path = Array(call.segments.dropFirst())
        switch (call.method, path.count, path[0]) {
        case ("GET", 1, "customers"):
            let all = await store.customers.values.filter { customer in
                (call.parameter("email").map { $0 == customer.email } ?? true)
                    && (call.parameter("name").map { $0 == customer.name } ?? true)
            }
            return page(all.sorted { $0.id < $1.id }.map { ($0.id, $0.json(organization: organization)) }, call)
        case ("POST", 1, "customers"):
            return one(try await store.createCustomer(call, quota: configuration.customerQuota))
        case ("GET", 2, "customers"):
            guard let customer = await store.customers[try number(path[1])] else { throw BillingRefusal.missing }
            return one(customer.json(organization: organization))
        case ("GET", 1, "subscriptions"):
            let all = await store.subscriptions.values.filter { subscription in
                (call.parameter("customer_id").map { $0 == String(subscription.customer) } ?? true)
                    && (call.parameter("status").map { $0 == subscription.status } ?? true)
            }
            return page(all.sorted { $0.id < $1.id }.map { ($0.id, $0.shown(organization: organization)) }, call)
        case ("POST", 1, "subscriptions"):
            return one(try await store.createSubscription(call))
        case ("GET", 2, "subscriptions"):
            return one(try await store.subscription(path[1]).shown(organization: organization))
        case ("POST", 3, "subscriptions") where ["activate", "pause", "resume", "cancel"].contains(path[2]):
            try await store.move(path[1], path[2])
            return .empty(204)
        case ("PUT", 3, "subscriptions") where path[2] == "items":
            // No API key is ever granted `subscription.update`.
            guard configuration.grantsItemChanges else { throw BillingRefusal.forbidden }
            return one(try await store.changeItems(path[1], call))
        case ("GET", 3, "subscriptions") where path[2] == "entitlements":
            _ = try await store.subscription(path[1])
            return page([], call)
        case (_, _, "usage"):
            throw BillingRefusal.forbidden
        default:
            return try await catalogue(call, path)
        }
    }

    private func catalogue(_ call: Call, _ path: [String]) async throws -> Answer {
        let organization = store.organization
        switch (call.method, path.count, path[0]) {
        case ("GET", 1, "prices"):
            let all = await store.prices.values.filter { price in
                call.parameter("code").map { $0 == price.code } ?? true
            }
            return page(all.sorted { $0.id < $1.id }.map { ($0.id, $0.json(organization: organization)) }, call)
        case ("GET", 2, "prices"):
            guard let price = await store.prices[try number(path[1])] else { throw BillingRefusal.missing }
            return one(price.json(organization: organization))
        case ("POST", 1, "prices"):
            return one(try await store.createPrice(call))
        case ("GET", 1, "price_amounts"):
            let all = await store.amounts.values.filter { amount in
                call.parameter("price_id").map { $0 == String(amount.price) } ?? true
            }
            return page(
                all.sorted { $0.id < $1.id }.map { ($0.id, $0.json(organization: organization)) },
                call,
                size: 50
            )
        case ("POST", 1, "price_amounts"):
            return one(try await store.createAmount(call))
        case ("GET", 1, "products"):
            let all = await store.products.values.sorted { $0.id < $1.id }
            return page(all.map { ($0.id, $0.json(organization: organization)) }, call)
        case ("POST", 1, "products"):
            return one(try await store.createProduct(call))
        default:
            throw BillingRefusal.missing
        }
    }

    private func authorize(_ call: Call) throws {
        let organization = call.header("X-Org-Id") ?? call.parameter("org_id") ?? call.parameter("orgId")
        guard call.header("Authorization") == "Bearer " + configuration.apiKey,
            organization == nil || organization == store.organization
        else { throw BillingRefusal(status: 401, type: "unauthorized", message: "unauthorized") }
        guard let limit = configuration.requestLimit else { return }
        guard window.admits(limit: limit, at: ids.now()) else {
            throw BillingRefusal(status: 429, type: "rate_limited", message: "rate limited")
        }
    }

    private func number(_ text: String) throws -> Int64 {
        guard let number = Int64(text) else { throw BillingRefusal.invalid("invalid_id") }
        return number
    }

    private func one(_ value: JSONValue) -> Answer { .json(["data": value]) }

    /// One page of a list; a token names the last element of the page before.
    private func page(_ all: [(Int64, JSONValue)], _ call: Call, size: Int = 10) -> Answer {
        let size = min(250, max(1, call.parameter("page_size").flatMap { Int($0) } ?? size))
        var rest = all[...]
        if let token = call.parameter("page_token"), let last = Self.position(token) {
            rest = rest.drop { $0.0 <= last }
        }
        let shown = rest.prefix(size)
        let hasMore = rest.count > shown.count
        let next = hasMore ? shown.last.map { Self.token($0.0) } ?? "" : ""
        return .json([
            "data": .array(shown.map(\.1)),
            "page_info": ["next_page_token": .string(next), "previous_page_token": "", "has_more": .bool(hasMore)],
        ])
    }

    private static func token(_ id: Int64) -> String {
        Data("{\"id\":\"\(id)\"}".utf8).base64EncodedString()
    }

    private static func position(_ token: String) -> Int64? {
        // A token that is none of ours starts at the beginning.
        Data(base64Encoded: token).flatMap { try? JSON.decode(JSONValue.self, from: $0) }?["id"]?.string.flatMap {
            Int64($0)
        }
    }
}

/// The requests of the last ten minutes.
private final class Window: Sendable {
    private let moments = Mutex<[Timestamp]>([])

    func admits(limit: Int, at now: Timestamp) -> Bool {
        moments.withLock { moments in
            moments.removeAll { now - $0 > .seconds(600) }
            guard moments.count < limit else { return false }
            moments.append(now)
            return true
        }
    }
}
