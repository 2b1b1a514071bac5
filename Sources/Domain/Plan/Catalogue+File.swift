/// What the catalogue's file says, as it stands there: not yet known to make sense.
///
/// Everything may be missing, so that all that is wrong can be said at once; ``Catalogue/init(validating:)`` does.
package struct CatalogueFile: Decodable, Sendable, Equatable {
    package struct Plan: Decodable, Sendable, Equatable {
        package struct Resources: Decodable, Sendable, Equatable {
            /// MHz.
            package var cpu: Int?
            /// MB.
            package var memory: Int?
            package var priority: Int?
        }

        package struct Update: Decodable, Sendable, Equatable {
            package var canary: Int?
            package var autoRevert: Bool?
        }

        package struct Price: Decodable, Sendable, Equatable {
            package var code: String?
            package var currency: String?
            /// Minor units.
            package var amount: Int64?
            package var interval: String?
            package var computeEngine: String?
        }

        package var tier: String?
        package var resources: Resources?
        package var update: Update?
        package var quotas: [String: Scalar]?
        package var entitlements: [String: Scalar]?
        package var prices: [Price]?
    }

    /// A text, number or boolean, kept as the text that environment variables have; empty when nothing is there.
    package struct Scalar: Decodable, Sendable, Equatable {
        package var text: String

        package init(_ text: String) { self.text = text }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                text = ""
            } else if let value = try? container.decode(Bool.self) {
                text = String(value)
            } else if let value = try? container.decode(Int64.self) {
                text = String(value)
            } else {
                text = try container.decode(String.self)
            }
        }
    }

    /// Quotas that all plans share; a plan's own win.
    package var quotas: [String: Scalar]?
    package var plans: [Plan]?
}

extension Catalogue {
    /// Everything that is wrong with a file, each with the place where it is.
    package struct Flaws: Error, Equatable, Sendable, CustomStringConvertible {
        package var list: [String]

        package var description: String {
            "the catalogue has \(list.count) problems:\n" + list.map { "  - \($0)" }.joined(separator: "\n")
        }
    }

    /// Quotas without which no workload starts: the environment variables of the tenant that carry its limits.
    package static let requiredQuotas = [
        "QUOTA_ENABLED", "QUOTA_GLOBAL_ORG", "QUOTA_GLOBAL_USER", "QUOTA_ORG_API_KEY", "QUOTA_ORG_CUSTOMER",
        "QUOTA_ORG_DASHBOARD", "QUOTA_ORG_DATA_SOURCE", "QUOTA_ORG_SUBSCRIPTION", "QUOTA_ORG_USAGE_MONTHLY",
        "QUOTA_ORG_USER", "QUOTA_USER_ORG", "USAGE_INGEST_CONCURRENCY_TTL_SECONDS", "USAGE_INGEST_ENDPOINT_BURST",
        "USAGE_INGEST_ENDPOINT_RATE", "USAGE_INGEST_ORG_BURST", "USAGE_INGEST_ORG_RATE", "WEBHOOK_RETENTION_DAYS",
    ]

    /// What every plan tells about itself.
    package static let requiredEntitlements = [
        "billing.billing_cycles.concurrent", "billing.customers.max", "billing.invoices.monthly",
        "billing.subscription_items.max", "billing.subscriptions.max", "billing.usage_events.monthly",
        "infra.isolation_level", "infra.namespaces.max", "infra.retention_days", "support.level",
    ]

    /// Makes the catalogue of a file that is whole.
    ///
    /// - Throws: ``Flaws``, with every problem of the file and not just the first.
    package init(validating file: CatalogueFile) throws(Flaws) {
        var reading = Reading()
        let offers = reading.offers(of: file)
        guard reading.flaws.isEmpty else { throw Flaws(list: reading.flaws) }
        self.init(offers: offers)
    }
}

/// Goes through a file, noting what is wrong and going on.
private struct Reading {
    var flaws: [String] = []

    mutating func offers(of file: CatalogueFile) -> [Catalogue.Offer] {
        var offers: [Catalogue.Offer] = []
        var tiers: Set<Tier> = []
        for (index, plan) in (file.plans ?? []).enumerated() {
            let place = "plans[\(index)]"
            guard let tier = choice(plan.tier, Tier.init(rawValue:), Tier.allCases.map(\.rawValue), "\(place).tier")
            else { continue }
            if !tiers.insert(tier).inserted { flaws.append("\(place).tier: \(tier.rawValue) is there already") }
            let snapshot = self.snapshot(plan, tier, shared: file.quotas ?? [:], place)
            if plan.prices?.isEmpty ?? true { flaws.append("\(place).prices: is missing") }
            for (index, price) in (plan.prices ?? []).enumerated() {
                guard let offer = offer(price, snapshot, "\(place).prices[\(index)]") else { continue }
                if offers.contains(where: { $0.price.code == offer.price.code }) {
                    flaws.append("\(place).prices[\(index)].code: \(offer.price.code) is there already")
                }
                offers.append(offer)
            }
        }
        for tier in Tier.allCases where !tiers.contains(tier) { flaws.append("plans: \(tier.rawValue) is missing") }
        return offers
    }

    private mutating func snapshot(
        _ plan: CatalogueFile.Plan,
        _ tier: Tier,
        shared: [String: CatalogueFile.Scalar],
        _ place: String
    ) -> PlanSnapshot {
        let quotas = shared.merging(plan.quotas ?? [:]) { _, own in own }
        return PlanSnapshot(
            tier: tier,
            resources: Resources(
                cpu: number(plan.resources?.cpu, 1...1_000_000, "\(place).resources.cpu"),
                memory: number(plan.resources?.memory, 1...10_000_000, "\(place).resources.memory"),
                priority: number(plan.resources?.priority, 1...100, "\(place).resources.priority")
            ),
            update: UpdatePolicy(
                canary: number(plan.update?.canary, 0...10, "\(place).update.canary"),
                autoRevert: flag(plan.update?.autoRevert, "\(place).update.autoRevert")
            ),
            quotas: table(quotas, Catalogue.requiredQuotas, "\(place).quotas"),
            entitlements: table(plan.entitlements ?? [:], Catalogue.requiredEntitlements, "\(place).entitlements")
        )
    }

    private mutating func offer(
        _ price: CatalogueFile.Plan.Price,
        _ plan: PlanSnapshot,
        _ place: String
    ) -> Catalogue.Offer? {
        let code = text(price.code, "\(place).code")
        let currency = text(price.currency, "\(place).currency")
        if currency.utf8.count != 3 || !currency.utf8.allSatisfy({ 65...90 ~= $0 }) {
            flaws.append("\(place).currency: is not an ISO 4217 code")
        }
        let amount = price.amount ?? -1
        if amount < 0 { flaws.append("\(place).amount: is missing or negative") }
        let interval = text(price.interval, "\(place).interval")
        if interval != "month" { flaws.append("\(place).interval: is not month") }
        let engines = ComputeEngine.allCases.map(\.rawValue)
        guard
            let engine = choice(
                price.computeEngine ?? ComputeEngine.hetzner.rawValue,
                ComputeEngine.init(rawValue:),
                engines,
                "\(place).computeEngine"
            )
        else { return nil }
        return Catalogue.Offer(
            price: PriceSnapshot(code: code, currency: currency, amount: amount, interval: interval),
            plan: plan,
            computeEngine: engine
        )
    }

    private mutating func number(_ value: Int?, _ range: ClosedRange<Int>, _ place: String) -> Int {
        guard let value else {
            flaws.append("\(place): is missing")
            return range.lowerBound
        }
        if !range.contains(value) { flaws.append("\(place): is not \(range.lowerBound) to \(range.upperBound)") }
        return value
    }

    private mutating func flag(_ value: Bool?, _ place: String) -> Bool {
        if value == nil { flaws.append("\(place): is missing") }
        return value ?? false
    }

    private mutating func text(_ value: String?, _ place: String) -> String {
        if value?.isEmpty ?? true { flaws.append("\(place): is missing") }
        return value ?? ""
    }

    private mutating func choice<Value>(
        _ text: String?,
        _ make: (String) -> Value?,
        _ all: [String],
        _ place: String
    ) -> Value? {
        guard let text, let value = make(text) else {
            flaws.append("\(place): is not one of \(all.joined(separator: ", "))")
            return nil
        }
        return value
    }

    private mutating func table(
        _ values: [String: CatalogueFile.Scalar],
        _ required: [String],
        _ place: String
    ) -> [String: String] {
        for name in required where values[name]?.text.isEmpty ?? true { flaws.append("\(place).\(name): is missing") }
        for name in values.keys.sorted() where !required.contains(name) { flaws.append("\(place).\(name): is unknown") }
        return values.mapValues(\.text)
    }
}
