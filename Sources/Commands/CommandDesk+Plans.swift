internal import Domain
internal import EventStore
package import Kernel

/// Other plans for an instance: a larger one at once, a smaller one when the period that is paid for has ended.
extension CommandDesk {
    /// Which way a change of plan may lead.
    package enum Direction: Sendable {
        case up, down
        /// Up at once, or down at the end of the period.
        case either
    }

    /// Asks for another plan of an instance.
    ///
    /// - Parameters:
    ///   - id: The instance.
    ///   - price: The code of the plan's price.
    ///   - direction: Which way it may lead; others are refused.
    ///   - envelope: Who asks.
    /// - Returns: The operation: that of the change, or the one that waits for the end of the period.
    /// - Throws: ``CommandError``.
    package func changePlan(
        of id: InstanceID,
        to price: String,
        _ direction: Direction,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await handler.commit(envelope, knownBy: Streams.instance(id)) { () throws(CommandError) in
            let (instance, organization) = try await instance(id, for: envelope.principal, to: .operate)
            try organization.requireActive()
            guard let offer = settings.catalogue.offer(price: price) else { throw .unknownPrice }
            guard let requested = instance.model.requested else { throw .notFound }
            try await require(requested.release, for: offer.plan.tier)
            let subscription = try await handler.aggregates.load(
                Subscription.self,
                from: Streams.subscription(requested.subscription)
            )
            let operation = handler.ids.unique()
            let goesDown =
                switch direction {
                case .up: false
                case .down: true
                case .either: offer.plan.tier < requested.plan.tier
                }
            var decision =
                try goesDown
                ? downgrade(instance, subscription, to: offer, operation, envelope)
                : upgrade(instance, subscription, to: offer, operation, envelope)
            // The organization must still be as it was judged.
            decision.writes.append(try organization.write([], ids: handler.ids))
            return decision
        }
    }

    /// The same as ``changePlan(of:to:_:by:)`` in either direction, by the subscription.
    package func changePlan(
        of id: SubscriptionID,
        to price: String,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await changePlan(of: try await instance(of: id), to: price, .either, by: envelope)
    }

    /// Gives up what was to happen when the period has ended: a downgrade, or the end of the subscription.
    package func cancelScheduledChange(
        of id: InstanceID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await handler.commit(envelope, knownBy: Streams.instance(id)) { () throws(CommandError) in
            let (instance, _) = try await instance(id, for: envelope.principal, to: .operate)
            guard let paid = instance.model.requested?.subscription else { throw .notFound }
            let subscription = try await handler.aggregates.load(Subscription.self, from: Streams.subscription(paid))
            let reason = Self.reason(envelope)
            var commands: [Subscription.Command] = []
            if subscription.model.cancellation != nil {
                switch instance.model.stage {
                case .terminating: throw .instance(.terminating)
                case .terminated: throw .instance(.terminated)
                default: commands.append(.withdrawCancellation(reason: reason, at: handler.ids.now()))
                }
            }
            if subscription.model.scheduled != nil || commands.isEmpty {
                commands.append(.cancelScheduledChange(reason: reason))
            }
            return try decision(
                subscription,
                commands,
                answer: Done(),
                envelope
            ) { .subscription($0) }
        }
    }

    private func upgrade(
        _ instance: Aggregate<Instance>,
        _ subscription: Aggregate<Subscription>,
        to offer: Catalogue.Offer,
        _ operation: UniqueID,
        _ envelope: CommandEnvelope
    ) throws(CommandError) -> Decision<OperationStarted> {
        let agreed: [SubscriptionEvent]
        do throws(Subscription.Refusal) {
            agreed = try subscription.decide(
                .requestPlanChange(.init(price: offer.price, plan: offer.plan, immediately: true))
            )
        } catch { throw .subscription(error) }
        let wish = InstanceEvent.ChangeRequested(
            change: InstanceChange.plan,
            from: instance.model.requested?.plan.tier.rawValue ?? "",
            to: offer.plan.tier.rawValue,
            plan: offer.plan,
            price: offer.price
        )
        var decision = try decision(
            instance,
            [.requestChange(wish)],
            answer: OperationStarted(operation: operation),
            envelope,
            first: operation
        ) { .instance($0) }
        decision.writes.append(try subscription.write(agreed, ids: handler.ids))
        return decision
    }

    private func downgrade(
        _ instance: Aggregate<Instance>,
        _ subscription: Aggregate<Subscription>,
        to offer: Catalogue.Offer,
        _ operation: UniqueID,
        _ envelope: CommandEnvelope
    ) throws(CommandError) -> Decision<OperationStarted> {
        guard instance.model.stage == .running else { throw .instance(.notRunning) }
        guard let anchor = subscription.model.anchor else { throw .subscription(.notActive) }
        let scheduled = SubscriptionEvent.DowngradeScheduled(
            price: offer.price,
            plan: offer.plan,
            effectiveAt: BillingPeriod.end(after: handler.ids.now(), anchor: anchor)
        )
        if let expected = envelope.expectedVersion, expected != instance.version {
            throw .conflict(actual: instance.version)
        }
        let agreed: [SubscriptionEvent]
        do throws(Subscription.Refusal) {
            agreed = try subscription.decide(.scheduleDowngrade(scheduled))
        } catch { throw .subscription(error) }
        return Decision(
            // The instance is the command's own stream; it must still be as it was judged.
            writes: [
                try instance.write([], ids: handler.ids),
                try subscription.write(agreed, ids: handler.ids, first: operation),
            ],
            answer: OperationStarted(operation: operation),
            position: instance.position
        )
    }

    /// What an instance runs must be there for the plan that it is to have.
    private func require(_ release: ReleaseSnapshot, for tier: Tier) async throws(CommandError) {
        let releases = try await handler.aggregates.load(Release.self, from: Streams.release(settings.application))
        do throws(Release.Refusal) {
            _ = try releases.model.snapshot(of: release.application, version: release.version, for: tier)
        } catch {
            // Whether it is still offered to others is another question.
            if error == .tierTooLow { throw .release(error) }
        }
    }
}
