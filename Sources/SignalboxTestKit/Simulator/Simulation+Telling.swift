package import Commands
package import Domain
internal import EventStore
package import Kernel
internal import SignalboxTestKit

extension Simulation {
    /// Gives the subscription a command, as a person does.
    @discardableResult
    package func tell(_ command: Subscription.Command) async throws -> UniqueID {
        let stream = Streams.subscription(subscription)
        let aggregate = try await Aggregates(log: log).load(Subscription.self, from: stream)
        let id = clock.ids.unique()
        let write = try aggregate.write(try aggregate.decide(command), ids: clock.ids, first: id)
        let causation = Causation(actor: "user-7", command: clock.ids.unique())
        _ = try await log.append(AppendRequest(causation: causation, writes: [write]))
        return id
    }

    /// Asks for another plan at once, as an upgrade does.
    @discardableResult
    package func upgrade(to tier: Tier = .enterprise) async throws -> UniqueID {
        let (plan, price) = (PlanSnapshot.simulated(tier), PriceSnapshot.simulated(tier))
        try await tell(.requestPlanChange(.init(price: price, plan: plan, immediately: true)))
        return try await request(
            .requestChange(
                .init(change: InstanceChange.plan, from: "TEAM", to: tier.rawValue, plan: plan, price: price)
            )
        )
    }

    /// Schedules a smaller plan.
    @discardableResult
    package func downgrade(to tier: Tier = .starter, after span: Duration = .seconds(864_000)) async throws -> UniqueID
    {
        try await tell(
            .scheduleDowngrade(
                .init(
                    price: .simulated(tier),
                    plan: .simulated(tier),
                    effectiveAt: clock.ids.now() + span
                )
            )
        )
    }
}

extension PlanSnapshot {
    /// The simulated plan, as another tier has it.
    package static func simulated(_ tier: Tier) -> Self {
        var plan = simulated
        plan.tier = tier
        plan.resources.memory = 512 << tier.rank
        return plan
    }
}

extension PriceSnapshot {
    package static func simulated(_ tier: Tier) -> Self {
        Self(code: "\(tier.label)-monthly", currency: "USD", amount: 1000 << Int64(tier.rank), interval: "month")
    }
}
