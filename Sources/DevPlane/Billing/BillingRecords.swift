internal import Kernel

/// What the billing engine keeps; a line of its journal is one of these.
enum BillingChange: Codable, Sendable {
    case product(BillingProduct)
    case price(BillingPriceRecord)
    case amount(BillingAmount)
    case customer(BillingCustomer)
    case subscription(BillingSubscriptionRecord)
}

/// Something that is sold.
struct BillingProduct: Codable, Sendable, Equatable {
    var id: Int64
    var code: String
    var name: String
    var isActive = true
    var metadata: JSONValue = [:]
    var key: String?
    var created: Timestamp
}

/// One way to pay for a product.
struct BillingPriceRecord: Codable, Sendable, Equatable {
    var id: Int64
    var product: Int64
    var code: String
    var name: String
    var isActive = true
    var metadata: JSONValue = [:]
    var key: String?
    var created: Timestamp
}

/// What a price costs, from and until when.
struct BillingAmount: Codable, Sendable, Equatable {
    var id: Int64
    var price: Int64
    var currency: String
    /// Minor units.
    var cents: Int64
    var from: Timestamp
    var until: Timestamp?
    var key: String?
    var created: Timestamp
}

/// Somebody who pays.
struct BillingCustomer: Codable, Sendable, Equatable {
    var id: Int64
    var name: String
    var email: String
    var key: String?
    var created: Timestamp
}

/// A customer's subscription of one or more prices.
struct BillingSubscriptionRecord: Codable, Sendable, Equatable {
    struct Item: Codable, Sendable, Equatable {
        var id: Int64
        var price: Int64
        var quantity: Int64
    }

    var id: Int64
    var customer: Int64
    /// `DRAFT`, `ACTIVE`, `PAUSED`, `CANCELED` or `ENDED`.
    var status = "DRAFT"
    var collectionMode: String
    var cycle: String
    var items: [Item]
    var metadata: JSONValue = [:]
    var key: String?
    var activated: Timestamp?
    var paused: Timestamp?
    var resumed: Timestamp?
    var cancelled: Timestamp?
    var created: Timestamp
    var updated: Timestamp
}

extension BillingProduct {
    func json(organization: String) -> JSONValue {
        [
            "id": .id(id), "organization_id": .string(organization), "code": .string(code), "name": .string(name),
            "active": .bool(isActive), "metadata": metadata, "created_at": .time(created), "updated_at": .time(created),
        ]
    }
}

extension BillingPriceRecord {
    func json(organization: String) -> JSONValue {
        [
            "id": .id(id), "organization_id": .string(organization), "product_id": .id(product), "code": .string(code),
            "name": .string(name), "pricing_model": "FLAT", "billing_mode": "LICENSED", "billing_interval": "MONTH",
            "billing_interval_count": 1, "tax_behavior": "EXCLUSIVE", "active": .bool(isActive), "metadata": metadata,
            "created_at": .time(created), "updated_at": .time(created),
        ]
    }
}

extension BillingAmount {
    func json(organization: String) -> JSONValue {
        [
            "id": .id(id), "organization_id": .string(organization), "price_id": .id(price),
            "currency": .string(currency),
            "unit_amount_cents": .integer(cents), "effective_from": .time(from),
            "effective_to": until.map { .time($0) } ?? nil, "status": until == nil ? "ACTIVE" : "RETIRED",
            "created_at": .time(created), "updated_at": .time(created),
        ]
    }
}

extension BillingCustomer {
    /// The metadata is empty whatever was sent: the real engine drops it.
    func json(organization: String) -> JSONValue {
        [
            "id": .id(id), "organization_id": .string(organization), "name": .string(name), "email": .string(email),
            "currency": "", "metadata": [:], "created_at": .time(created), "updated_at": .time(created),
        ]
    }
}

extension BillingSubscriptionRecord {
    /// As creating it answers: snake_case.
    func created(organization: String, prices: [Int64: BillingPriceRecord]) -> JSONValue {
        [
            "id": .id(id), "organization_id": .string(organization), "customer_id": .id(customer),
            "status": .string(status),
            "collection_mode": .string(collectionMode), "start_at": .time(created), "metadata": metadata,
            "items": .array(
                items.map { item in
                    [
                        "id": .id(item.id), "price_id": .id(item.price),
                        "price_code": .string(prices[item.price]?.code ?? ""),
                        "meter_id": nil, "meter_code": nil, "quantity": .integer(item.quantity),
                        "billing_mode": "LICENSED",
                    ]
                }
            ),
        ]
    }

    /// As reading and listing show it: PascalCase, because the real engine forgot to name its fields.
    func shown(organization: String) -> JSONValue {
        func time(_ moment: Timestamp?) -> JSONValue { moment.map { .time($0) } ?? nil }
        return [
            "ID": .id(id), "OrgID": .string(organization), "CustomerID": .id(customer), "Status": .string(status),
            "CollectionMode": .string(collectionMode), "StartAt": .time(created), "EndAt": nil, "TrialStartsAt": nil,
            "TrialEndsAt": nil, "CancelAt": nil, "CancelAtPeriodEnd": false, "CanceledAt": time(cancelled),
            "ActivatedAt": time(activated), "PausedAt": time(paused), "ResumedAt": time(resumed), "EndedAt": nil,
            "PlanChangedAt": nil, "BillingAnchorDay": nil, "BillingCycleType": .string(cycle),
            "DefaultPaymentTermDays": nil, "DefaultCurrency": nil, "DefaultTaxBehavior": nil,
            "IdempotencyKey": key.map { .string($0) } ?? nil, "Metadata": metadata, "CreatedAt": .time(created),
            "UpdatedAt": .time(updated),
        ]
    }
}

extension JSONValue {
    /// A snowflake: a string in JSON.
    static func id(_ value: Int64) -> JSONValue { .string(String(value)) }

    static func time(_ moment: Timestamp) -> JSONValue { .string(moment.description) }
}
