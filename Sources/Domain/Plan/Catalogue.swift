/// Everything that is for sale; made from one validated file at start, the only source of plans and prices.
package struct Catalogue: Sendable, Equatable {
    /// One thing for sale.
    package struct Offer: Sendable, Equatable, Codable {
        package var price: PriceSnapshot
        package var plan: PlanSnapshot
        package var computeEngine: ComputeEngine

        package init(price: PriceSnapshot, plan: PlanSnapshot, computeEngine: ComputeEngine) {
            self.price = price
            self.plan = plan
            self.computeEngine = computeEngine
        }
    }

    /// In the order of their rank.
    package let offers: [Offer]

    package init(offers: [Offer]) {
        self.offers = offers.sorted { $0.plan.tier < $1.plan.tier }
    }

    /// The offer with this price code.
    package func offer(price code: String) -> Offer? {
        offers.first { $0.price.code == code }
    }
}
