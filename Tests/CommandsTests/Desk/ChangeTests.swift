import Commands
import Domain
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("Asking for changes of an instance")
struct ChangeTests {
    /// An organization whose first instance runs and is paid for.
    private func running(_ plane: Plane, _ person: Principal) async throws -> Onboarded {
        let onboarded = try await plane.onboarded(by: person).answer
        let (instance, subscription) = (
            Streams.instance(onboarded.instance), Streams.subscription(onboarded.subscription)
        )
        let credentials = InstanceEvent.CredentialsReserved(keyVersion: 1, rotation: 1, generation: 1)
        try await plane.record(Instance.self, instance, .reserveCredentials(credentials))
        try await plane.record(Instance.self, instance, .markRunning(.init(generation: 1, launchURL: "http://x")))
        try await plane.record(Subscription.self, subscription, .recordDraft(billingID: "7", generation: 1))
        try await plane.record(
            Subscription.self,
            subscription,
            .recordActivated(anchor: Timestamp(microseconds: 1_706_700_000_000_000))
        )
        return onboarded
    }

    @Test("credentials are rotated by an operation that has the id of its cause, once for each key")
    func rotation() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let instance = try await running(plane, person).instance
        let receipt = try await plane.desk.rotateCredentials(of: instance, by: .keyed("k", person))
        let event = try #require(plane.log.events.last)
        #expect(event.type == "instance.change-requested" && event.id == receipt.answer.operation)
        #expect(SagaCause.kind(startedBy: event.type, payload: event.payload) == "rotate-credentials")
        let again = try await plane.desk.rotateCredentials(of: instance, by: .keyed("k", person))
        #expect(again.repeated && again.answer == receipt.answer)
        await #expect(throws: CommandError.instance(.changing)) {
            try await plane.desk.rotateCredentials(of: instance, by: .once(person))
        }
    }

    @Test("what does not run is not changed, nor by somebody who may not")
    func refused() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let instance = try await plane.onboarded(by: person).answer.instance
        await #expect(throws: CommandError.instance(.notRunning)) {
            try await plane.desk.rotateCredentials(of: instance, by: .once(person))
        }
        let stranger = try await plane.person("stranger")
        await #expect(throws: CommandError.notFound) {
            try await plane.desk.rotateCredentials(of: instance, by: .once(stranger))
        }
        let auditor = Principal(.platformAuditor(IDSource.system.identifier()))
        await #expect(throws: CommandError.forbidden) {
            try await plane.desk.rotateCredentials(of: instance, by: .once(auditor))
        }
    }

    @Test("an upgrade is written in both streams, and its operation is the instance's change")
    func upgrade() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let instance = try await running(plane, person).instance
        let receipt = try await plane.desk.changePlan(of: instance, to: "enterprise-monthly", .up, by: .once(person))
        let events = plane.log.events.suffix(2)
        #expect(Set(events.map(\.type)) == ["instance.change-requested", "subscription.plan-change-requested"])
        let cause = try #require(events.first { $0.id == receipt.answer.operation })
        #expect(SagaCause.kind(startedBy: cause.type, payload: cause.payload) == "change-plan")
        await #expect(throws: CommandError.instance(.changing)) {
            try await plane.desk.rotateCredentials(of: instance, by: .once(person))
        }
    }

    @Test(
        "a release is asked for by strategy, and refused when it cannot be given",
        arguments: ReleaseStrategy.allCases
    )
    func release(strategy: ReleaseStrategy) async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let instance = try await running(plane, person).instance
        for (version, status, tier) in [
            ("v9", ReleaseStatus.stable, Tier.freeTrial), ("v8", .eol, .freeTrial), ("v10", .stable, .enterprise),
        ] {
            var fact = Samples.release(version)
            (fact.status, fact.minimumTier) = (status, tier)
            _ = try await plane.desk.registerRelease(fact, by: .own(ids: .system))
        }
        func ask(_ version: String, _ key: String) async throws -> Receipt<OperationStarted> {
            try await plane.desk.changeRelease(of: instance, to: version, strategy, by: .keyed(key, person))
        }
        await #expect(throws: CommandError.release(.unknownVersion)) { try await ask("v7", "1") }
        await #expect(throws: CommandError.release(.endOfLife)) { try await ask("v8", "2") }
        await #expect(throws: CommandError.release(.tierTooLow)) { try await ask("v10", "3") }
        await #expect(throws: CommandError.instance(.sameRelease)) { try await ask("v1.0.0", "4") }
        let receipt = try await ask("v9", "5")
        let event = try #require(plane.log.events.last)
        #expect(event.type == "instance.change-requested" && event.id == receipt.answer.operation)
        let kind = strategy == .rolling ? "replace-release" : "change-release"
        #expect(SagaCause.kind(startedBy: event.type, payload: event.payload) == kind)
        #expect(try await ask("v9", "5").repeated)
        await #expect(throws: CommandError.instance(.changing)) { try await ask("v9", "6") }
    }

    @Test("a downgrade waits for the end of the period, clamped to the month, and can be given up")
    func downgrade() async throws {
        let plane = try await Plane()
        let person = try await plane.person()
        let onboarded = try await running(plane, person)
        let receipt = try await plane.desk.changePlan(
            of: onboarded.subscription,
            to: "starter-monthly",
            by: .once(person)
        )
        let cause = try #require(plane.log.events.last { $0.id == receipt.answer.operation })
        #expect(SagaCause.kind(startedBy: cause.type, payload: cause.payload) == "downgrade-plan")
        let fact = try JSON.decode(
            SubscriptionEvent.DowngradeScheduled.self,
            from: try #require(cause.payload)
        )
        let anchor = Timestamp(microseconds: 1_706_700_000_000_000)
        #expect(fact.effectiveAt == BillingPeriod.end(after: cause.recordedAt, anchor: anchor))
        #expect(fact.effectiveAt > cause.recordedAt)
        await #expect(throws: CommandError.subscription(.changePending)) {
            try await plane.desk.changePlan(of: onboarded.instance, to: "pro-monthly", .down, by: .once(person))
        }
        _ = try await plane.desk.cancelScheduledChange(of: onboarded.instance, by: .once(person))
        await #expect(throws: CommandError.subscription(.nothingScheduled)) {
            try await plane.desk.cancelScheduledChange(of: onboarded.instance, by: .once(person))
        }
    }

    @Test("a plan of the wrong rank, an unknown one, or one that the release is not for is refused")
    func wrongPlans() async throws {
        var release = Samples.release()
        release.minimumTier = .pro
        let plane = try await Plane(release: release)
        let person = try await plane.person()
        let instance = try await running(plane, person).instance
        func change(_ price: String, _ direction: CommandDesk.Direction) async throws(CommandError) {
            _ = try await plane.desk.changePlan(of: instance, to: price, direction, by: .once(person))
        }
        await #expect(throws: CommandError.subscription(.lowerRank)) { try await change("pro-monthly", .up) }
        await #expect(throws: CommandError.subscription(.higherRank)) { try await change("enterprise-monthly", .down) }
        await #expect(throws: CommandError.subscription(.samePlan)) { try await change("team-monthly", .either) }
        await #expect(throws: CommandError.unknownPrice) { try await change("gold-monthly", .either) }
        await #expect(throws: CommandError.release(.tierTooLow)) { try await change("starter-monthly", .down) }
        let stranger = try await plane.person("stranger")
        await #expect(throws: CommandError.notFound) {
            try await plane.desk.changePlan(of: instance, to: "pro-monthly", .down, by: .once(stranger))
        }
    }
}
