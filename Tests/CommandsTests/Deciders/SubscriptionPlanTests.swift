import Commands
import Domain
import Kernel
import SignalboxTestKit
import Testing

@Suite("Plans of a subscription")
struct SubscriptionPlanTests {
    private static let active: [SubscriptionEvent] = [
        .requested(
            .init(
                organization: IDSource.system.identifier(),
                instance: IDSource.system.identifier(),
                price: Samples.price(.pro),
                plan: Samples.plan(.pro)
            )
        ),
        .drafted(.init(billingID: "7", generation: 1)), .activated(.init(anchor: Timestamp(microseconds: 0))),
    ]

    private static func asked(_ tier: Tier, immediately: Bool = true) -> SubscriptionEvent.PlanChangeRequested {
        .init(price: Samples.price(tier), plan: Samples.plan(tier), immediately: immediately)
    }

    private static func scheduled(_ tier: Tier) -> SubscriptionEvent.DowngradeScheduled {
        .init(price: Samples.price(tier), plan: Samples.plan(tier), effectiveAt: Timestamp(microseconds: 1))
    }

    @Test("an upgrade leads up, a downgrade down, and neither to where it is already")
    func ranks() {
        let paid = given(Subscription.self, after: Self.active)
        paid.when(.requestPlanChange(Self.asked(.team))).then(.planChangeRequested(Self.asked(.team)))
        paid.when(.requestPlanChange(Self.asked(.starter))).refused(.lowerRank)
        paid.when(.requestPlanChange(Self.asked(.pro))).refused(.samePlan)
        paid.when(.scheduleDowngrade(Self.scheduled(.starter))).then(.downgradeScheduled(Self.scheduled(.starter)))
        paid.when(.scheduleDowngrade(Self.scheduled(.team))).refused(.higherRank)
        paid.when(.scheduleDowngrade(Self.scheduled(.pro))).refused(.samePlan)
        // When its time has come, what was scheduled leads down.
        let due = Self.asked(.starter, immediately: false)
        paid.when(.requestPlanChange(due)).then(.planChangeRequested(due))
    }

    @Test("only what is active has its plan changed")
    func inactive() {
        for history in [Array(Self.active.prefix(2)), Self.active + [.paused(.init())]] {
            let paid = given(Subscription.self, after: history)
            for command in [
                Subscription.Command.requestPlanChange(Self.asked(.team)),
                .scheduleDowngrade(Self.scheduled(.starter)),
            ] {
                paid.when(command).refused(.notActive)
            }
        }
    }

    @Test("a downgrade that waits gives way to an upgrade, and to nothing else but its end")
    func pending() {
        let waiting = Self.active + [.downgradeScheduled(Self.scheduled(.starter))]
        let paid = given(Subscription.self, after: waiting)
        paid.when(.scheduleDowngrade(Self.scheduled(.freeTrial))).refused(.changePending)
        paid.when(.requestPlanChange(Self.asked(.team))).thenOnce(
            .planChangeCancelled(.init(reason: "another plan was chosen")),
            .planChangeRequested(Self.asked(.team))
        )
        paid.when(.cancelScheduledChange(reason: "no")).thenOnce(.planChangeCancelled(.init(reason: "no")))
        paid.when(.giveUpSchedule(Self.scheduled(.freeTrial), reason: "no")).then()
        paid.when(.giveUpSchedule(Self.scheduled(.starter), reason: "no")).then(
            .planChangeCancelled(.init(reason: "no"))
        )
        let changing = Self.active + [.planChangeRequested(Self.asked(.team))]
        let other = given(Subscription.self, after: changing)
        other.when(.requestPlanChange(Self.asked(.enterprise))).refused(.changePending)
        other.when(.cancelScheduledChange(reason: "no")).refused(.nothingScheduled)
        other.when(.giveUpSchedule(Self.scheduled(.starter), reason: "no")).then()
        other.when(.cancelPlanChange(reason: "full")).then(.planChangeCancelled(.init(reason: "full")))
    }

    @Test("a changed plan is what it has, recorded once, and leaves nothing pending")
    func changed() {
        let fact = SubscriptionEvent.PlanChanged(price: Samples.price(.team), plan: Samples.plan(.team), billingID: "8")
        let changing = Self.active + [.planChangeRequested(Self.asked(.team))]
        given(Subscription.self, after: changing).when(.recordPlanChanged(fact)).then(.planChanged(fact))
        let model = Subscription(replaying: changing + [.planChanged(fact)])
        #expect(model.billingID == "8" && model.change == nil && model.requested?.plan.tier == .team)
    }
}
