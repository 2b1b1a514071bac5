import Kernel

/// The billing engine with its ways: it takes no notice of filters it does not know, pages by ten, writes one spelling
/// when it creates and another when it reads, and remembers keys.
actor FakeBilling {
    struct Post: Sendable {
        var path: String
        var key: String
        var body: JSONValue
    }

    private(set) var posts: [Post] = []
    /// How much was asked that changes something.
    private(set) var changes = 0
    private var customers: [(id: String, email: String)] = []
    private var states: [String: String] = [:]
    private var keys: [String: String] = [:]
    private var before: Answer?
    private var after: Answer?

    func refuseBeforeDoing(_ answer: Answer) { before = answer }
    func refuseAfterDoing(_ answer: Answer) { after = answer }

    func answer(_ asked: Asked) throws -> Answer {
        let path = String(asked.path.split(separator: "?")[0])
        guard asked.headers["authorization"] == "Bearer vk_live_key_1_s" else {
            return .json(["error": ["type": "unauthorized"]], status: 401)
        }
        if asked.method != "GET" { changes += 1 }
        guard asked.method == "POST" else { return read(path, asked.path) }
        posts.append(Post(path: path, key: asked.headers["idempotency-key"] ?? "", body: asked.json ?? nil))
        if let before {
            self.before = nil
            return before
        }
        let answer = write(path, asked)
        defer { after = nil }
        return after ?? answer
    }

    private func read(_ path: String, _ whole: String) -> Answer {
        switch path {
        case "/api/customers":
            return page(customers.map { ["id": .string($0.id), "email": .string($0.email)] }, whole)
        case "/api/prices":
            let many = (0..<13).map {
                JSONValue.object(["id": .string("4\($0)"), "code": .string("other-\($0)"), "active": true])
            }
            let ours: [JSONValue] = [
                ["id": "502", "code": "old-monthly", "active": false],
                ["id": "503", "code": "team-monthly", "active": true],
            ]
            return page(many + ours, whole)
        case "/api/price_amounts":
            return page(
                [
                    amount("503", "USD", 8900, until: "2025-01-01T00:00:00Z"), amount("503", "USD", 9900),
                    amount("503", "USD", 10900, from: "2999-01-01T00:00:00Z"), amount("40", "USD", 9901),
                    amount("40", "EUR", 9900),
                ],
                whole
            )
        default:
            let id = String(path.split(separator: "/").last ?? "")
            guard let state = states[id] else { return .json(["error": ["type": "not_found"]], status: 404) }
            return .json(["data": ["ID": .string(id), "Status": .string(state), "CustomerID": "1"]])
        }
    }

    private func write(_ path: String, _ asked: Asked) -> Answer {
        let key = asked.headers["idempotency-key"] ?? ""
        let words = path.split(separator: "/").map(String.init)
        switch (words.count, words[1]) {
        case (2, "customers"):
            let email = asked.json?["email"]?.string ?? ""
            let id = keys[key] ?? String(1000 + customers.count)
            if keys.updateValue(id, forKey: key) == nil { customers.append((id, email)) }
            return .json(["data": ["id": .string(id)]])
        case (2, "subscriptions"):
            let id = keys[key] ?? String(2000 + states.count)
            if keys.updateValue(id, forKey: key) == nil { states[id] = "DRAFT" }
            return .json(["data": ["id": .string(id), "status": .string(states[id] ?? ""), "customer_id": "1"]])
        default:
            return move(words[2], words[3])
        }
    }

    private func move(_ id: String, _ verb: String) -> Answer {
        let refusal = Answer.json(
            ["error": ["type": "validation_error", "errors": [["field": "status", "code": "invalid_transition"]]]],
            status: 400
        )
        switch (states[id], verb) {
        case ("DRAFT", "activate"), ("ACTIVE", "activate"): states[id] = "ACTIVE"
        case ("ACTIVE", "cancel"), ("PAUSED", "cancel"), ("CANCELED", "cancel"): states[id] = "CANCELED"
        case ("ACTIVE", "pause"), ("PAUSED", "pause"): states[id] = "PAUSED"
        case ("PAUSED", "resume"), ("ACTIVE", "resume"): states[id] = "ACTIVE"
        default: return refusal
        }
        return Answer(status: 204)
    }

    private func page(_ elements: [JSONValue], _ path: String) -> Answer {
        let start = path.split(separator: "page_token=").dropFirst().first.flatMap { Int($0) } ?? 0
        let end = min(start + 10, elements.count)
        let next = end < elements.count ? String(end) : ""
        return .json([
            "data": .array(Array(elements[start..<end])),
            "page_info": ["next_page_token": .string(next), "has_more": .bool(!next.isEmpty)],
        ])
    }

    private func amount(
        _ price: String,
        _ currency: String,
        _ cents: Int64,
        from: String = "2024-01-01T00:00:00Z",
        until: String? = nil
    ) -> JSONValue {
        [
            "price_id": .string(price), "currency": .string(currency), "unit_amount_cents": .integer(cents),
            "effective_from": .string(from), "effective_to": until.map { .string($0) } ?? nil,
        ]
    }
}
