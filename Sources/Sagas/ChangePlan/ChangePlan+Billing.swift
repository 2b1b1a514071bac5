internal import Commands
internal import Domain
internal import Kernel
internal import Platform

/// Billing the other plan: the subscription's items are changed where billing lets us, else another subscription takes
/// the place of the one there is.
extension ChangePlan {
    /// Says whether billing changed the items; many engines let no key do that.
    func changeItems(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(PlanInput.self)
        let changed = try await ports.billing.changeItems(
            of: try input.made.agreed.billingID(),
            to: Self.price(input.price),
            key: key("items", input, context)
        )
        return .done(StepOutcome(output: ["changed": .bool(changed)]))
    }

    /// There is nothing to compare with at billing, so a change that may be on its way is outwaited first; not one that
    /// billing has answered to whoever asks now.
    func changeItemsBack(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try context.decoded(PlanInput.self)
        if context.outputs["change-items"]?["changed"]?.bool == false { return .done }
        // Counted from here: the step may have been tried for long, and its last attempt a moment ago.
        guard context.isSettled || context.attempt > 1 else {
            throw .pending(
                code: "under-way",
                message: "a change of the items may still be on its way",
                retryAfter: ports.settings.billingSilence
            )
        }
        _ = try await ports.billing.changeItems(
            of: try input.made.agreed.billingID(),
            to: Self.price(input.made.agreed.price),
            key: key("items-back", input, context)
        )
        return .done
    }

    /// A draft costs nothing, and is found again by its key.
    func draftReplacement(_ context: StepContext) async throws(PortError) -> StepResult {
        if itemsChanged(context) { return .skipped(why: "the subscription itself was changed") }
        let input = try context.decoded(PlanInput.self)
        let organization = "\(input.made.agreed.organization)"
        let customer = try await ports.billing.ensureCustomer(
            email: ports.names.billingEmail(organization: organization),
            name: input.made.agreed.organizationName,
            key: ports.names.customerKey(organization: organization)
        )
        let draft = try await ports.billing.ensureDraft(
            customer: customer,
            price: Self.price(input.price),
            key: key("create", input, context)
        )
        return .done(StepOutcome(output: ["subscription": .string(draft.id)]))
    }

    /// A draft that nobody activates costs nothing, and billing cannot cancel it.
    func leaveDraft(_ context: StepContext) async throws(PortError) -> UndoResult { .done }

    /// The subscription that takes the place of the other one, where there has to be one.
    func replacement(_ input: JSONValue, _ outputs: [String: JSONValue]) -> [IntendedResource] {
        guard outputs["change-items"]?["changed"]?.bool != true, let input = try? PlanInput(input),
            let saga = input.saga
        else { return [] }
        let agreed = input.made.agreed
        return [subscription(ports.replacement(of: agreed, by: saga), agreed, removes: nil)]
    }

    /// The one whose place it takes.
    func former(_ input: JSONValue, _ outputs: [String: JSONValue]) -> [IntendedResource] {
        guard outputs["change-items"]?["changed"]?.bool != true, let input = try? PlanInput(input),
            let name = ports.name(of: .subscription, input.made.agreed)
        else { return [] }
        return [subscription(name, input.made.agreed, removes: true)]
    }

    private func subscription(_ name: String, _ agreed: ProvisionInput, removes: Bool?) -> IntendedResource {
        IntendedResource(
            .subscription,
            name,
            instance: "instance-\(agreed.instance)",
            generation: agreed.generation,
            removes: removes
        )
    }

    /// The point of no return: from here on the other plan is paid for.
    func activateReplacement(_ context: StepContext) async throws(PortError) -> StepResult {
        if itemsChanged(context) { return .skipped(why: "the subscription itself was changed") }
        let id = try context.text("subscription", of: "draft-replacement")
        switch try await ports.billing.subscription(id).status {
        case .active: break
        case .draft, .paused: try await ports.billing.activate(id)
        case .cancelled, .ended:
            throw .permanent(code: "subscription-ended", message: "the new subscription has ended already")
        }
        return .done
    }

    /// Makes sure that no activation can come in any more, as a provisioning does.
    func burnReplacement(_ context: StepContext) async throws(PortError) -> UndoResult {
        // Begun, and then turned back before it could say that there is nothing to do.
        if itemsChanged(context) { return .done }
        let id = try context.text("subscription", of: "draft-replacement")
        switch try await ports.billing.subscription(id).status {
        case .draft:
            try await ports.billing.activate(id)
            try await ports.billing.cancel(id)
        case .active, .paused: try await ports.billing.cancel(id)
        case .cancelled, .ended: break
        }
        return .done
    }

    /// Never before the new one is active: for a moment there are two, and none never.
    func cancelFormer(_ context: StepContext) async throws(PortError) -> StepResult {
        if itemsChanged(context) { return .skipped(why: "the subscription itself was changed") }
        try await ports.billing.cancel(try context.decoded(PlanInput.self).made.agreed.billingID())
        return .done
    }

    /// Reads back what is billed, and says so.
    func confirmPlan(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(PlanInput.self)
        let agreed = input.made.agreed
        let id =
            try itemsChanged(context)
            ? agreed.billingID() : context.text("subscription", of: "draft-replacement")
        let status = try await ports.billing.subscription(id).status
        guard status == .active else {
            throw .blocked(code: "not-active", message: "billing has the subscription as \(status.rawValue)")
        }
        let changed = InstanceEvent.Changed(
            change: InstanceChange.plan,
            from: agreed.plan.tier.rawValue,
            to: input.plan.tier.rawValue,
            plan: input.plan
        )
        let billed = SubscriptionEvent.PlanChanged(price: input.price, plan: input.plan, billingID: id)
        return .done(
            StepOutcome(
                facts: [
                    .subscription(agreed.subscription, .recordPlanChanged(billed)),
                    .instance(agreed.instance, .recordChanged(changed)),
                ]
            )
        )
    }

    private func itemsChanged(_ context: StepContext) -> Bool {
        context.outputs["change-items"]?["changed"]?.bool == true
    }

    /// Another one for each change of plan, the same for all attempts.
    private func key(_ verb: String, _ input: PlanInput, _ context: StepContext) -> String {
        ports.names.transitionKey(
            subscription: "\(input.made.agreed.subscription)",
            saga: "\(context.saga)",
            verb: verb
        )
    }

    private static func price(_ price: PriceSnapshot) -> BillingPrice {
        BillingPrice(code: price.code, currency: price.currency, amount: price.amount)
    }
}
