package import Commands
package import Domain
package import EventStore
package import Kernel

/// Values that many tests need and none is about.
package enum Samples {
    /// What a plan of this tier is sold with in tests.
    package static func plan(_ tier: Tier = .team) -> PlanSnapshot {
        PlanSnapshot(
            tier: tier,
            resources: Resources(cpu: 2000, memory: 4096, priority: 90),
            update: UpdatePolicy(canary: 1, autoRevert: true),
            quotas: Dictionary(uniqueKeysWithValues: Catalogue.requiredQuotas.map { ($0, "7") }),
            entitlements: Dictionary(uniqueKeysWithValues: Catalogue.requiredEntitlements.map { ($0, "7") })
        )
    }

    /// What a plan of this tier costs in tests.
    package static func price(_ tier: Tier = .team) -> PriceSnapshot {
        PriceSnapshot(code: "\(tier.label)-monthly", currency: "USD", amount: 9900, interval: "month")
    }

    /// One offer for each tier.
    package static let catalogue = Catalogue(
        offers: Tier.allCases.map { .init(price: price($0), plan: plan($0), computeEngine: .hetzner) }
    )

    /// A version of the application that every tier may run.
    package static func release(_ version: String = "v1.0.0") -> ReleaseEvent.Registered {
        ReleaseEvent.Registered(
            version: version,
            image: "ghcr.io/smallbiznis/railzway:\(version)",
            status: .stable,
            minimumTier: .freeTrial,
            breaking: false
        )
    }

    /// Master keys, different ones each time.
    package static func masterKeys(versions: ClosedRange<Int> = 1...1) -> MasterKeys {
        let keys = Dictionary(
            uniqueKeysWithValues: versions.map { ($0, (0..<32).map { _ in UInt8.random(in: .min ... .max) }) }
        )
        do {
            return try MasterKeys(keys)
        } catch {
            // 32 random bytes repeat or count up with a probability below 2^-190.
            preconditionFailure("random keys look like an example: \(error)")
        }
    }

    /// A desk over a log, with ``catalogue``, and hosts below `example.test`.
    package static func desk(
        _ log: some EventLog & ClaimDirectory,
        subjects: any SubjectKeys = MemorySubjectKeys(),
        keys: MasterKeys = masterKeys(),
        ids: IDSource = .system
    ) -> CommandDesk {
        CommandDesk(
            log: log,
            claims: log,
            vault: Vault(keys: keys, subjects: subjects),
            settings: .init(catalogue: catalogue) { slug, instance in
                instance == InstanceName.main ? "\(slug).example.test" : "\(instance)--\(slug).example.test"
            },
            ids: ids
        )
    }
}
