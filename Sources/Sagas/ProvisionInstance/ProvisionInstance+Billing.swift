internal import Commands
internal import Domain
internal import Kernel
internal import Platform

extension ProvisionInstance {
    /// Billing's customer of the organization; it stays, whatever becomes of the instance.
    func ensureCustomer(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let organization = "\(input.organization)"
        let customer = try await ports.billing.ensureCustomer(
            email: ports.names.billingEmail(organization: organization),
            name: input.organizationName,
            key: ports.names.customerKey(organization: organization)
        )
        return .done(
            StepOutcome(
                output: ["customer": .string(customer)],
                facts: [.organization(input.organization, .linkBillingCustomer(customer))]
            )
        )
    }

    /// A draft of the agreed price; the one that an earlier generation left is used again.
    func draftSubscription(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let id = try await reusable(input.formerDraft)
        let draft: BillingSubscription
        if let id {
            draft = BillingSubscription(id: id, status: .draft)
        } else {
            draft = try await ports.billing.ensureDraft(
                customer: try context.text("customer", of: "ensure-customer"),
                price: BillingPrice(
                    code: input.price.code,
                    currency: input.price.currency,
                    amount: input.price.amount
                ),
                key: ports.names.subscriptionKey(
                    subscription: "\(input.subscription)",
                    generation: input.generation
                )
            )
        }
        guard draft.status == .draft || draft.status == .active else {
            let message = "the subscription of this generation is \(draft.status.rawValue) already"
            throw .blocked(code: "subscription-used", message: message)
        }
        let drafted = Subscription.Command.recordDraft(billingID: draft.id, generation: input.generation)
        return .done(
            StepOutcome(
                output: ["subscription": .string(draft.id)],
                facts: [.subscription(input.subscription, drafted)]
            )
        )
    }

    /// Nothing is owed for a draft, and billing cannot cancel one: it is left there for a retry to find.
    func abandonDraft(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try context.decoded(ProvisionInput.self)
        // A draft whose making was never confirmed is found again by its key and was never recorded.
        guard context.outputs["draft-subscription"] != nil else { return .done }
        return UndoResult(facts: [.subscription(input.subscription, .abandon(reason: context.reason))])
    }

    /// The pivot: from here on the customer pays.
    func activateSubscription(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let id = try context.text("subscription", of: "draft-subscription")
        let found = try await ports.billing.subscription(id)
        switch found.status {
        case .active: break
        case .draft, .paused: try await ports.billing.activate(id)
        case .cancelled, .ended:
            let message = "the subscription is \(found.status.rawValue) at billing"
            throw .permanent(code: "subscription-\(found.status.rawValue.lowercased())", message: message)
        }
        return .done(StepOutcome(facts: [.subscription(input.subscription, .recordActivated(anchor: context.now))]))
    }

    /// Makes sure that no activation can come in any more: a draft that is activated and cancelled refuses the next one,
    /// while a draft that is left alone could still be activated by a call that is on its way.
    func burnActivation(_ context: StepContext) async throws(PortError) -> UndoResult {
        let id = try context.text("subscription", of: "draft-subscription")
        switch try await ports.billing.subscription(id).status {
        case .draft:
            try await ports.billing.activate(id)
            try await ports.billing.cancel(id)
            return UndoResult(note: Self.neverActive)
        case .active, .paused:
            try await ports.billing.cancel(id)
            return .done
        case .cancelled, .ended:
            return .done
        }
    }

    /// What the undo of the activation says when nobody can have paid.
    static let neverActive = "never-active"

    private func reusable(_ former: String?) async throws(PortError) -> String? {
        guard let former else { return nil }
        do throws(PortError) {
            return try await ports.billing.subscription(former).status == .draft ? former : nil
        } catch {
            // Billing has forgotten it.
            if case .permanent = error { return nil }
            throw error
        }
    }
}

extension StepContext {
    /// A text that an earlier step left.
    func text(_ name: String, of step: String) throws(PortError) -> String {
        guard let text = outputs[step]?[name]?.string else {
            throw .blocked(code: "output-missing", message: "\(step) left no \(name)")
        }
        return text
    }

    /// A whole number that an earlier step left.
    func number(_ name: String, of step: String) throws(PortError) -> Int64 {
        guard let number = outputs[step]?[name]?.integer else {
            throw .blocked(code: "output-missing", message: "\(step) left no \(name)")
        }
        return number
    }
}
