import Commands
import Domain
import Kernel
import SignalboxTestKit
import Testing

@Suite("Subscription")
struct SubscriptionTests {
    private static let requested = SubscriptionEvent.Requested(
        organization: IDSource.system.identifier(),
        instance: IDSource.system.identifier(),
        price: Samples.price(),
        plan: Samples.plan()
    )
    private static let anchor = Timestamp(microseconds: 1_769_853_600_000_000)

    private static func history(of stage: Subscription.Stage) -> [SubscriptionEvent] {
        let draft: [SubscriptionEvent] = [.requested(requested), .drafted(.init(billingID: "b1", generation: 1))]
        let active = draft + [.activated(.init(anchor: anchor))]
        switch stage {
        case .absent: return []
        case .requested: return [.requested(requested)]
        case .draft: return draft
        case .abandoned: return draft + [.abandoned(.init(reason: "failed"))]
        case .active: return active
        case .paused: return active + [.paused(.init())]
        case .cancelled: return active + [.cancelled(.init())]
        case .ended: return active + [.cancelled(.init()), .ended(.init())]
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let command: Subscription.Command
        /// One event, no event, or a refusal, for each stage in the order of `Subscription.Stage.allCases`.
        let verdicts: [Result<Int, Subscription.Refusal>]
    }

    private static let rows: [Row] = {
        typealias Verdict = Result<Int, Subscription.Refusal>
        func no(_ refusal: Subscription.Refusal) -> Verdict { .failure(refusal) }
        let (one, same) = (Verdict.success(1), Verdict.success(0))
        let (never, inactive, over) = (no(.notRequested), no(.notActive), no(.over))
        let again = no(.alreadyRequested)
        func row(_ name: String, _ command: Subscription.Command, _ verdicts: Verdict...) -> Row {
            Row(testDescription: name, command: command, verdicts: verdicts)
        }
        return [
            // absent, requested, draft, abandoned, active, paused, cancelled, ended
            row("request", .request(requested), one, again, again, again, again, again, again, again),
            row(
                "the same draft",
                .recordDraft(billingID: "b1", generation: 1),
                never,
                one,
                same,
                no(.abandoned),
                same,
                same,
                over,
                over
            ),
            row(
                "another draft",
                .recordDraft(billingID: "b2", generation: 1),
                never,
                one,
                no(.otherDraft),
                no(.abandoned),
                no(.active),
                no(.active),
                over,
                over
            ),
            row(
                "the same draft for the next generation",
                .recordDraft(billingID: "b1", generation: 2),
                never,
                one,
                one,
                one,
                same,
                same,
                over,
                over
            ),
            row(
                "a draft for an earlier generation",
                .recordDraft(billingID: "b0", generation: 0),
                never,
                one,
                no(.staleGeneration),
                no(.staleGeneration),
                no(.active),
                no(.active),
                over,
                over
            ),
            row(
                "activated",
                .recordActivated(anchor: anchor),
                never,
                no(.notDrafted),
                one,
                no(.abandoned),
                same,
                same,
                over,
                over
            ),
            row(
                "abandon",
                .abandon(reason: "failed"),
                never,
                one,
                one,
                same,
                no(.active),
                no(.active),
                over,
                over
            ),
            row(
                "cancel at a moment",
                .requestCancellation(effectiveAt: anchor),
                never,
                inactive,
                inactive,
                inactive,
                one,
                one,
                over,
                over
            ),
            row("paused", .recordPaused, never, inactive, inactive, inactive, one, same, over, over),
            row("resumed", .recordResumed, never, inactive, inactive, inactive, same, one, over, over),
            row("cancelled", .recordCancelled, never, inactive, inactive, inactive, one, one, same, same),
            row(
                "ended",
                .recordEnded,
                never,
                inactive,
                inactive,
                inactive,
                no(.notCancelled),
                no(.notCancelled),
                one,
                same
            ),
        ]
    }()

    @Test("each command means the same in each stage as in the table", arguments: rows)
    func truthTable(row: Row) {
        #expect(row.verdicts.count == Subscription.Stage.allCases.count)
        for (stage, verdict) in zip(Subscription.Stage.allCases, row.verdicts) {
            let model = Subscription(replaying: Self.history(of: stage))
            #expect(model.stage == stage)
            let actual: Result<Int, Subscription.Refusal>
            do throws(Subscription.Refusal) {
                actual = .success(try model.decide(row.command).count)
            } catch {
                actual = .failure(error)
            }
            #expect(actual == verdict, "\(row.testDescription) while \(stage)")
        }
    }

    @Test("an abandoned draft is known to the retry, which may use it again")
    func reuse() {
        let abandoned = Self.history(of: .abandoned)
        #expect(Subscription(replaying: abandoned).billingID == "b1")
        given(Subscription.self, after: abandoned)
            .when(.recordDraft(billingID: "b1", generation: 2))
            .then(.drafted(.init(billingID: "b1", generation: 2)))
    }

    @Test("an end is agreed on once")
    func cancellation() {
        let agreed = Self.history(of: .active) + [.cancellationRequested(.init(effectiveAt: Self.anchor))]
        #expect(Subscription(replaying: agreed).cancellation == Self.anchor)
        given(Subscription.self, after: agreed)
            .when(.requestCancellation(effectiveAt: Self.anchor)).refused(.cancellationRequested)
    }

    @Test("an agreed end is withdrawn, but not in the last minute, and can be agreed on again")
    func withdrawal() {
        let agreed = Self.history(of: .active) + [.cancellationRequested(.init(effectiveAt: Self.anchor))]
        let subscription = given(Subscription.self, after: agreed)
        let withdrawn = SubscriptionEvent.cancellationWithdrawn(.init(reason: "stay"))
        subscription.when(.withdrawCancellation(reason: "stay", at: Self.anchor + .seconds(-61))).thenOnce(withdrawn)
        for late in [-60, 0, 5] {
            subscription.when(.withdrawCancellation(reason: "stay", at: Self.anchor + .seconds(late))).refused(.tooLate)
        }
        let again = given(Subscription.self, after: agreed + [withdrawn])
        again.when(.withdrawCancellation(reason: "stay", at: Self.anchor + .seconds(-61))).refused(.nothingScheduled)
        again.when(.requestCancellation(effectiveAt: Self.anchor))
            .thenOnce(.cancellationRequested(.init(effectiveAt: Self.anchor)))
    }

    @Test("activation keeps the anchor that periods end on")
    func anchor() {
        #expect(Subscription(replaying: Self.history(of: .paused)).anchor == Self.anchor)
    }
}
