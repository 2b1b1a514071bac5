/// What a subscription is at the billing engine.
package enum BillingStatus: String, Sendable, Equatable, Codable {
    case draft = "DRAFT"
    case active = "ACTIVE"
    case paused = "PAUSED"
    case cancelled = "CANCELED"
    case ended = "ENDED"
}

/// A subscription as billing has it.
package struct BillingSubscription: Sendable, Equatable, Codable {
    package var id: String
    package var status: BillingStatus

    package init(id: String, status: BillingStatus) {
        self.id = id
        self.status = status
    }
}

/// A price as it was agreed on, to be found at billing by its code and to agree with it.
package struct BillingPrice: Sendable, Equatable {
    package var code: String
    /// ISO 4217.
    package var currency: String
    /// Minor units.
    package var amount: Int64

    package init(code: String, currency: String, amount: Int64) {
        self.code = code
        self.currency = currency
        self.amount = amount
    }
}

/// The billing engine.
///
/// Every POST carries an idempotency key; a repeat finds what the first one made.
package protocol Billing: Sendable {
    /// The customer of an organization.
    ///
    /// - Parameters:
    ///   - email: By which it is found, e.g. `org_42@railzway.com`.
    ///   - name: What people call it.
    ///   - key: The idempotency key, e.g. `sbx1:org:42:customer`.
    /// - Returns: Billing's own id of the customer.
    /// - Throws: ``PortError``.
    func ensureCustomer(email: String, name: String, key: String) async throws(PortError) -> String

    /// A draft subscription of one price; `permanent` when billing's price differs from ours.
    func ensureDraft(customer: String, price: BillingPrice, key: String) async throws(PortError) -> BillingSubscription

    func subscription(_ id: String) async throws(PortError) -> BillingSubscription

    /// Active afterwards; fine when it was already.
    func activate(_ id: String) async throws(PortError)

    /// Paused afterwards; fine when it was already. What is over cannot be paused: `permanent`.
    ///
    /// - Parameters:
    ///   - id: Billing's own id.
    ///   - key: The idempotency key, another one for each time that it is paused.
    /// - Throws: ``PortError``.
    func pause(_ id: String, key: String) async throws(PortError)

    /// Active afterwards; fine when it was already. What is over cannot be resumed: `permanent`.
    ///
    /// - Parameters:
    ///   - id: Billing's own id.
    ///   - key: The idempotency key, another one for each time that it is resumed.
    /// - Throws: ``PortError``.
    func resume(_ id: String, key: String) async throws(PortError)

    /// Bills another price from now on, in the subscription that there is.
    ///
    /// - Parameters:
    ///   - id: Billing's own id; it has to be active.
    ///   - price: The price to come; `permanent` when billing's differs from ours.
    ///   - key: The idempotency key, another one for each change.
    /// - Returns: Whether billing did it; not when it lets nobody do that who comes with a key.
    /// - Throws: ``PortError``.
    func changeItems(of id: String, to price: BillingPrice, key: String) async throws(PortError) -> Bool

    /// Cancelled afterwards; fine when it was already, or ended. A draft cannot be cancelled: `conflict`.
    func cancel(_ id: String) async throws(PortError)
}
