package import Kernel
package import Platform

/// The billing engine over HTTP.
///
/// Every POST carries a key: sent again, it finds what the first one made, which is also the only way to look a
/// subscription up. Answers wrap in `data`; lists come in pages.
package struct BillingClient: Billing {
    private let caller: HTTPCaller
    private let ids: IDSource
    private let pageLimit = 100

    /// - Parameters:
    ///   - caller: Its base is the engine; it carries the key, see ``BillingClient/headers(key:)``.
    ///   - ids: Says what time it is, to tell a price that is in force from one that is not yet or no longer.
    package init(caller: HTTPCaller, ids: IDSource = .system) {
        self.caller = caller
        self.ids = ids
    }

    /// What goes with every request.
    package static func headers(key: Secret) -> [(String, String)] {
        [("Authorization", "Bearer " + key.revealed)]
    }

    package func ensureCustomer(email: String, name: String, key: String) async throws(PortError) -> String {
        if let found = try await customer(email) { return found }
        do throws(PortError) {
            return try identity(
                try await post("/api/customers", key: key, ["email": .string(email), "name": .string(name)])
            )
        } catch .blocked(let code, let message) where code == "billing.quota_exceeded" || code == "billing.402" {
            // The engine looks at the quota before it looks at the key: a repetition may be refused what it has.
            if let found = try await customer(email) { return found }
            throw .blocked(code: code, message: message)
        }
    }

    package func ensureDraft(
        customer: String,
        price: BillingPrice,
        key: String
    ) async throws(PortError) -> BillingSubscription {
        let id = try await priceID(price)
        let answer = try await post(
            "/api/subscriptions",
            key: key,
            [
                "customer_id": .string(customer),
                "collection_mode": "CHARGE_AUTOMATICALLY",
                "billing_cycle_type": "monthly",
                "items": [["price_id": .string(id), "quantity": 1]],
            ]
        )
        let subscription = try subscription(in: answer)
        guard subscription.status != .cancelled, subscription.status != .ended else {
            // Only an earlier attempt of this very generation can have spent its key.
            throw .blocked(
                code: "billing.key-spent",
                message: "billing: the subscription of this key has ended already"
            )
        }
        return subscription
    }

    package func subscription(_ id: String) async throws(PortError) -> BillingSubscription {
        try subscription(in: try await get("/api/subscriptions/" + HTTPCaller.segment(id)))
    }

    package func activate(_ id: String) async throws(PortError) {
        try await move(id, "activate", key: key(id, "activate")) { status in status == .active }
    }

    package func pause(_ id: String, key: String) async throws(PortError) {
        try await move(id, "pause", key: key) { status in status == .paused }
    }

    package func resume(_ id: String, key: String) async throws(PortError) {
        try await move(id, "resume", key: key) { status in status == .active }
    }

    package func changeItems(
        of id: String,
        to price: BillingPrice,
        key: String
    ) async throws(PortError) -> Bool {
        let item: JSONValue = ["price_id": .string(try await priceID(price)), "quantity": 1]
        // Whoever slept since the price was looked up would put back what a successor has changed.
        try await EffectLease.require()
        do throws(PortError) {
            _ = try await call(
                .put,
                "/api/subscriptions/\(HTTPCaller.segment(id))/items",
                key: key,
                body: ["items": [item]],
                changes: true
            )
            return true
        } catch {
            // Not for a key, no such route, not by this method: another way has to be gone.
            let refusals = ["billing.forbidden", "billing.403", "billing.not_found", "billing.404", "billing.405"]
            guard refusals.contains(error.code) else { throw error }
            return false
        }
    }

    package func cancel(_ id: String) async throws(PortError) {
        try await move(id, "cancel", key: key(id, "cancel")) { status in status == .cancelled || status == .ended }
    }

    /// A transition; the engine calls one that is impossible `invalid_transition`, and then the state decides.
    private func move(
        _ id: String,
        _ verb: String,
        key: String,
        isDone: (BillingStatus) -> Bool
    ) async throws(PortError) {
        // The engine has no compare-and-set: a process that slept must not bring back what was taken back meanwhile.
        try await EffectLease.require()
        do throws(PortError) {
            _ = try await post("/api/subscriptions/\(HTTPCaller.segment(id))/\(verb)", key: key, [:])
        } catch .permanent(code: "billing.invalid_transition", let message) {
            let status = try await subscription(id).status
            if isDone(status) { return }
            let code = "billing.\(status.rawValue.lowercased())"
            // What has not ended can still be moved by others.
            if [.draft, .active, .paused].contains(status) { throw .conflict(code: code, message: message) }
            throw .permanent(code: code, message: message)
        }
    }
}

extension BillingClient {
    /// Of what happens to a subscription at most once.
    private func key(_ id: String, _ verb: String) -> String { "sbx1:billing:\(id):\(verb)" }

    /// Found by email: the engine takes no notice of an external id, nor, perhaps, of a filter it does not know.
    private func customer(_ email: String) async throws(PortError) -> String? {
        for customer in try await list("/api/customers", [("email", email)]) where customer["email"]?.string == email {
            return try identity(["data": customer])
        }
        return nil
    }

    /// The engine's id of a price, which must be the price that the customer was told.
    private func priceID(_ price: BillingPrice) async throws(PortError) -> String {
        let prices = try await list("/api/prices", [("code", price.code)])
        guard let found = prices.first(where: { $0["code"]?.string == price.code && $0["active"]?.bool != false })
        else {
            throw .permanent(code: "billing.no-price", message: "billing has no active price \(price.code)")
        }
        let id = try identity(["data": found])
        let amounts = try await list("/api/price_amounts", [("price_id", id)]).filter { amount in
            amount["priceid"]?.string == id && isInForce(amount)
        }
        let agrees = amounts.contains { amount in
            amount["currency"]?.string?.uppercased() == price.currency.uppercased()
                && amount["unitamountcents"]?.integer == price.amount
        }
        guard agrees else {
            throw .permanent(
                code: "billing.price-differs",
                message: "billing's price \(price.code) is not \(price.amount) \(price.currency) (minor units)"
            )
        }
        return id
    }

    private func isInForce(_ amount: JSONValue) -> Bool {
        let now = ids.now()
        func moment(_ key: String) -> Timestamp? { amount[key]?.string.flatMap { Timestamp($0) } }
        if let from = moment("effectivefrom"), from > now { return false }
        if let to = moment("effectiveto"), to <= now { return false }
        return true
    }

    private func identity(_ answer: JSONValue) throws(PortError) -> String {
        guard let id = answer["data"]?["id"]?.string else { throw garbled }
        return id
    }

    private func subscription(in answer: JSONValue) throws(PortError) -> BillingSubscription {
        guard let status = answer["data"]?["status"]?.string.flatMap({ BillingStatus(rawValue: $0.uppercased()) })
        else {
            throw garbled
        }
        return BillingSubscription(id: try identity(answer), status: status)
    }

    private var garbled: PortError {
        .transient(code: "billing.garbled", message: "billing: the answer is unreadable")
    }

    /// All pages of a list, each element with its keys in one spelling.
    func list(_ path: String, _ filter: [(String, String)]) async throws(PortError) -> [JSONValue] {
        var elements: [JSONValue] = []
        var token: String?
        for _ in 0..<pageLimit {
            let page = try await get(path, filter + [("page_size", "100")] + (token.map { [("page_token", $0)] } ?? []))
            guard let part = page["data"]?.array else { throw garbled }
            elements += part
            token = page["pageinfo"]?["nextpagetoken"]?.string
            guard let token, !token.isEmpty, page["pageinfo"]?["hasmore"]?.bool != false else { return elements }
        }
        throw .permanent(code: "billing.endless", message: "billing: a list has more than \(pageLimit) pages")
    }

    private func get(_ path: String, _ query: [(String, String)] = []) async throws(PortError) -> JSONValue {
        let answer = try await call(.get, path, query: query, changes: false)
        guard let json = answer.json else { throw garbled }
        return BillingAnswer.normalized(json)
    }

    private func post(_ path: String, key: String, _ body: JSONValue) async throws(PortError) -> JSONValue {
        let answer = try await call(.post, path, key: key, body: body, changes: true)
        // Transitions answer 204 without a body.
        return BillingAnswer.normalized(answer.json ?? .null)
    }

    private func call(
        _ verb: HTTPVerb,
        _ path: String,
        query: [(String, String)] = [],
        key: String? = nil,
        body: JSONValue? = nil,
        changes: Bool
    ) async throws(PortError) -> HTTPAnswer {
        let answer: HTTPAnswer
        do throws(HTTPFailure) {
            answer = try await caller.send(
                verb,
                path,
                query: query,
                headers: [("Content-Type", "application/json")] + (key.map { [("Idempotency-Key", $0)] } ?? []),
                body: body.flatMap { try? JSON.encode($0) }  // a JSON value is always JSON
            )
        } catch {
            throw error.portError("billing", changes: changes)
        }
        guard (200..<300).contains(answer.status) else { throw BillingRefusal.portError(answer, changes: changes) }
        return answer
    }
}
