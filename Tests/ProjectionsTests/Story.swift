import Domain
import EventStore
import Kernel

@testable import Projections

/// A log in the making: events with positions, versions and times in order, as one organization lives them.
struct Story {
    /// When position 0 was.
    static let dawn = Timestamp(microseconds: 1_800_000_000_000_000)

    private(set) var events: [RecordedEvent] = []
    private var versions: [StreamName: Int64] = [:]

    static func moment(_ position: Int64) -> Timestamp { dawn + .seconds(position) }

    /// The id that the event at a position has.
    static func id(_ position: Int64) -> UniqueID { UniqueID(UInt128(1_000_000 + position)) }

    /// Writes one event; its position is returned.
    @discardableResult
    mutating func tell(_ event: some EventFamily, of id: some CustomStringConvertible, org: Int64? = 42) throws -> Int64
    {
        try write(StreamName(category: type(of: event).category, id: id), event.name.rawValue, try event.payload(), org)
    }

    /// Writes one event whatever is in it.
    @discardableResult
    mutating func write(_ stream: StreamName, _ type: String, _ payload: [UInt8]?, _ org: Int64? = 42) throws -> Int64 {
        let position = Int64(events.count + 1)
        versions[stream, default: 0] += 1
        events.append(
            RecordedEvent(
                position: position,
                id: Self.id(position),
                stream: stream,
                organization: org.flatMap { OrganizationID($0) },
                version: versions[stream] ?? 1,
                type: type,
                schemaVersion: 1,
                recordedAt: Self.moment(position),
                actor: "user-7",
                command: UniqueID(9),
                cause: nil,
                correlation: UniqueID(9),
                metadata: "{}",
                payload: payload
            )
        )
        return position
    }

    /// The rows that a projection makes of it all, in one page.
    func rows<P: Projection>(of projection: P.Type) throws -> [String: P.Row] {
        try Self.fold(projection, events, pages: [events.count]).rows
    }

    /// Folds page by page, through the stored form of the rows.
    static func fold<P: Projection>(
        _: P.Type,
        _ events: [RecordedEvent],
        pages: [Int]
    ) throws -> (documents: [String: String], rows: [String: P.Row], poison: [Poison]) {
        var documents: [String: String] = [:]
        var poison: [Poison] = []
        var rest = events[...]
        for size in pages + [events.count] where !rest.isEmpty {
            var fold = PageFold<P>(blocked: Set(poison.map(\.organization)))
            fold.decode(Array(rest.prefix(size)))
            try fold.load(fold.keys.compactMap { key in documents[key].map { (key, $0) } })
            fold.run()
            let changes = try fold.changes()
            for key in changes.gone { documents[key] = nil }
            for (key, document) in zip(changes.keys, changes.documents) { documents[key] = document }
            poison += fold.poisoned
            rest = rest.dropFirst(size)
        }
        return (documents, try documents.mapValues { try JSON.decode(P.Row.self, from: $0.utf8) }, poison)
    }
}

extension Story {
    static let plan = PlanSnapshot(
        tier: .team,
        resources: Resources(cpu: 2000, memory: 4096, priority: 90),
        update: UpdatePolicy(canary: 1, autoRevert: true),
        quotas: ["QUOTA_ORG_CUSTOMER": "5000"],
        entitlements: ["billing.customers.max": "5000"]
    )
    static let price = PriceSnapshot(code: "team-monthly", currency: "USD", amount: 9900, interval: "month")
    static let release = ReleaseSnapshot(application: "railzway", version: "1.2.3", image: "ghcr.io/x/y:1.2.3")
    static let steps = ["credentials", "database", "workload"]

    static func identifier<Subject>(_ value: Int64, _: Subject.Type = Subject.self) -> Identifier<Subject> {
        Identifier<Subject>(at: Timestamp(microseconds: 1_704_067_200_000_000), random: UInt64(value))
    }

    static func requested(_ org: Int64 = 42) -> InstanceEvent {
        .requested(
            .init(
                organization: identifier(org),
                subscription: identifier(300),
                name: "main",
                slug: "acme",
                organizationName: "Acme",
                kind: .managedApp,
                plan: plan,
                release: release,
                computeEngine: .hetzner,
                generation: 1
            )
        )
    }

    /// An organization with a subscription and an instance, asked for at once.
    mutating func onboard(_ org: Int64 = 42, instance: Int64 = 400, owner: Int64 = 7) throws {
        try tell(
            OrganizationEvent.created(.init(name: "Acme", slug: "acme", owner: Self.identifier(owner))),
            of: org,
            org: org
        )
        try tell(
            SubscriptionEvent.requested(
                .init(
                    organization: Self.identifier(org),
                    instance: Self.identifier(instance),
                    price: Self.price,
                    plan: Self.plan
                )
            ),
            of: instance - 100,
            org: org
        )
        try tell(Self.requested(org), of: instance, org: org)
    }

    /// So many organizations, one after the other, each with an instance that runs.
    static func crowd(_ count: Int64) throws -> Story {
        var story = Story()
        for org in 1...count {
            try story.onboard(org, instance: org + 500, owner: org)
            try story.provision(cause: Int64(story.events.count), instance: org + 500, org: org)
        }
        return story
    }

    /// The saga that the event at a position started, up to its end.
    mutating func provision(cause: Int64, instance: Int64 = 400, org: Int64 = 42) throws {
        let saga = "provision-instance.\(Self.id(cause))"
        try tell(
            SagaEvent.started(
                .init(
                    kind: "provision-instance",
                    definition: 1,
                    subject: "instance-\(instance)",
                    lane: "instance-\(instance)",
                    cause: Self.id(cause),
                    input: .object([:]),
                    steps: Self.steps,
                    deadline: Self.moment(5000)
                )
            ),
            of: saga,
            org: org
        )
        for step in Self.steps {
            try tell(SagaEvent.stepStarted(.init(step: step, attempt: 1, key: step)), of: saga, org: org)
            try tell(SagaEvent.stepSucceeded(.init(step: step, output: .object([:]))), of: saga, org: org)
        }
        try tell(
            InstanceEvent.workloadRegistered(
                .init(job: "railzway-org-\(org)", jobVersion: 0, modifyIndex: 9, specHash: "aa", generation: 1)
            ),
            of: instance,
            org: org
        )
        try tell(InstanceEvent.becameHealthy(.init(job: "railzway-org-\(org)", jobVersion: 0)), of: instance, org: org)
        try tell(
            InstanceEvent.routePublished(
                .init(router: "org-\(org)", host: "acme.localhost", service: "railzway-org-\(org)", generation: 1)
            ),
            of: instance,
            org: org
        )
        try tell(SubscriptionEvent.drafted(.init(billingID: "s-1", generation: 1)), of: instance - 100, org: org)
        try tell(SubscriptionEvent.activated(.init(anchor: Self.moment(0))), of: instance - 100, org: org)
        try tell(
            InstanceEvent.running(.init(generation: 1, launchURL: "http://acme.localhost/login/railzway_com")),
            of: instance,
            org: org
        )
        try tell(SagaEvent.completed(Nothing()), of: saga, org: org)
    }
}
