internal import Domain
internal import HTTPTypes
internal import Kernel

/// What is for sale.
extension API {
    var catalogueRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/plans",
                "listPlans",
                "The plans, smallest first.",
                access: .open,
                success: .init(.ok, .named("Plans")),
                handler: plans
            ),
            Route(
                .get,
                "/v1/prices",
                "listPrices",
                "The prices with the plans that they buy, smallest plan first.",
                access: .open,
                success: .init(.ok, .named("Prices")),
                handler: prices
            ),
        ]
    }

    private func plans(_ call: Call) async throws(Problem) -> Answer {
        var plans: [PlanView] = []
        for offer in backend.catalogue.offers where !plans.contains(where: { $0.tier == offer.plan.tier }) {
            plans.append(PlanView(offer.plan))
        }
        return try .json(Whole(data: plans))
    }

    private func prices(_ call: Call) async throws(Problem) -> Answer {
        try .json(Whole(data: backend.catalogue.offers.map(PriceView.init)))
    }
}

/// A list that is always given whole.
struct Whole<Element: Encodable>: Encodable {
    var data: [Element]

    private enum CodingKeys: CodingKey {
        case data, next
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(data, forKey: .data)
        try container.encodeNil(forKey: .next)
    }
}

/// A plan as customers are told about it.
private struct PlanView: Encodable {
    var tier: Tier
    var rank: Int
    var resources: Resources
    var entitlements: [String: String]

    init(_ plan: PlanSnapshot) {
        self.tier = plan.tier
        self.rank = plan.tier.rank
        self.resources = plan.resources
        self.entitlements = plan.entitlements
    }
}

private struct PriceView: Encodable {
    var id: String
    var code: String
    var plan: PlanView
    var currency: String
    var amount: Int64
    var interval: String
    var computeEngine: ComputeEngine

    init(_ offer: Catalogue.Offer) {
        self.id = offer.price.code
        self.code = offer.price.code
        self.plan = PlanView(offer.plan)
        self.currency = offer.price.currency
        self.amount = offer.price.amount
        self.interval = offer.price.interval
        self.computeEngine = offer.computeEngine
    }
}
