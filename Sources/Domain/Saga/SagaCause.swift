package import Kernel

/// Which event starts which kind of saga: the one table that the starter, the operations read model and the response
/// to a command all read.
///
/// The id of a saga is the id of the event that caused it, so whoever appends the event knows the operation already.
package enum SagaCause {
    /// What an event of one type starts.
    private enum Effect {
        case always(String)
        /// One kind for each `change` that the event may be about, or `change/strategy` where that matters; none for the
        /// others.
        case byChange([String: String])
    }

    /// The kind of saga that an event starts; `nil` for most.
    ///
    /// - Parameters:
    ///   - type: What the log calls the event.
    ///   - payload: What it says; an erased event starts nothing.
    /// - Returns: The kind.
    package static func kind(startedBy type: String, payload: [UInt8]?) -> String? {
        guard let payload else { return nil }
        switch table[type] {
        case nil: return nil
        case .always(let kind): return kind
        case .byChange(let kinds):
            // Whoever reads the whole event says what is wrong with one that cannot be read.
            guard let about = try? JSON.decode(About.self, from: payload) else { return nil }
            return about.strategy.flatMap { kinds["\(about.change)/\($0)"] } ?? kinds[about.change]
        }
    }

    /// Every kind that an event of this type can start, whatever it says.
    package static func kinds(startedBy type: String) -> [String] {
        switch table[type] {
        case nil: []
        case .always(let kind): [kind]
        case .byChange(let kinds): kinds.values.sorted()
        }
    }

    /// Every type that can start a saga.
    package static var types: [String] { table.keys.sorted() }

    /// The stream of a saga.
    package static func stream(kind: String, cause: UniqueID) -> String {
        "saga-\(kind).\(cause)"
    }

    private struct About: Decodable {
        var change: String
        var strategy: String?
    }

    private static let table: [String: Effect] = [
        InstanceEvent.Name.requested.rawValue: .always("provision-instance"),
        InstanceEvent.Name.retryRequested.rawValue: .always("provision-instance"),
        InstanceEvent.Name.changeRequested.rawValue: .byChange([
            InstanceChange.credentials: "rotate-credentials", InstanceChange.plan: "change-plan",
            InstanceChange.version: "change-release",
            "\(InstanceChange.version)/\(ReleaseStrategy.rolling.rawValue)": "replace-release",
        ]),
        InstanceEvent.Name.stopRequested.rawValue: .always("stop-instance"),
        InstanceEvent.Name.startRequested.rawValue: .always("start-instance"),
        InstanceEvent.Name.terminationRequested.rawValue: .always("terminate-instance"),
        InstanceEvent.Name.databaseQuarantined.rawValue: .always("reap-database"),
        SubscriptionEvent.Name.cancellationRequested.rawValue: .always("end-subscription"),
        OrganizationEvent.Name.deletionRequested.rawValue: .always("delete-organization"),
        InstanceEvent.Name.driftDetected.rawValue: .always("repair-instance"),
        RolloutEvent.Name.started.rawValue: .always("roll-out"),
        SubscriptionEvent.Name.downgradeScheduled.rawValue: .always("downgrade-plan"),
    ]
}

/// Which event cancels which kinds of saga that run, or wait, in a lane of its subject: an instance that is to be
/// terminated need not be provisioned to the end.
///
/// It stands beside ``SagaCause``: the same event may start the saga that follows in the lane. A cancellation is an
/// input, not an interrupt: what is under way is settled first, and past the point of no return it is ignored.
package enum SagaCancellation {
    /// The kinds that an event of this type cancels; empty for most.
    package static func kinds(cancelledBy type: String) -> [String] {
        table[type] ?? []
    }

    /// The lanes in which they are looked for.
    ///
    /// - Parameter subject: The stream of the event.
    /// - Returns: Its own lane, and that of its end, which waits beside everything else.
    package static func lanes(of subject: String) -> [String] { [subject, subject + "/end"] }

    /// Every type that cancels something.
    package static var types: [String] { table.keys.sorted() }

    private static let table: [String: [String]] = [
        // A stop goes the same way, and is waited for.
        InstanceEvent.Name.terminationRequested.rawValue: [
            "provision-instance", "start-instance", "change-plan", "rotate-credentials", "change-release",
            "replace-release", "repair-instance",
        ],
        // Who thinks better of a downgrade need not wait for the end of the period.
        SubscriptionEvent.Name.planChangeCancelled.rawValue: ["downgrade-plan"],
        // The same for who thinks better of the end.
        SubscriptionEvent.Name.cancellationWithdrawn.rawValue: ["end-subscription"],
    ]
}
