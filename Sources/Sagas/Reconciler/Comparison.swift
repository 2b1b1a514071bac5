internal import Commands
internal import Domain
internal import Kernel
package import Platform

/// What the targets have, as far as they said.
package struct ObservedTargets: Sendable, Equatable {
    package var databases: Listing<ListedDatabase> = .unknown
    package var roles: Listing<ListedRole> = .unknown
    package var jobs: Listing<ListedJob> = .unknown
    package var subscriptions: Listing<ListedSubscription> = .unknown

    package init() {}
}

/// Compares what should be there with what is there, row by row of the matrix; pure.
struct Comparison {
    private let desired: [DesiredInstance]
    private let observed: ObservedTargets
    private let names: Names
    private let databases: [String: ListedDatabase]
    private let roles: [String: ListedRole]
    private let jobs: [String: ListedJob]
    /// By the subscription that they are for.
    private let subscriptions: [String: [ListedSubscription]]

    init(_ desired: [DesiredInstance], _ observed: ObservedTargets, _ names: Names) {
        self.desired = desired
        self.observed = observed
        self.names = names
        databases = Dictionary(observed.databases.items.map { ($0.name, $0) }) { first, _ in first }
        roles = Dictionary(observed.roles.items.map { ($0.name, $0) }) { first, _ in first }
        jobs = Dictionary(observed.jobs.items.map { ($0.job, $0) }) { first, _ in first }
        subscriptions = Dictionary(grouping: observed.subscriptions.items.filter { $0.key != nil }) { one in
            one.key.flatMap(names.subscription(ofKey:)) ?? ""
        }
    }

    /// Everything that differs; nothing of an instance that a saga works on.
    var findings: [Finding] {
        desired.filter { !$0.isBusy }.flatMap { missing($0) + stale($0) } + orphans
    }

    /// Things that carry our tag for an instance that the log does not know: never touched, told to people.
    var strangers: [String] {
        let known = Set(desired.map { "\($0.id)" })
        var found: [String] = []
        func look(_ what: String, _ name: String, _ owner: Ownership?) {
            if let owner, !known.contains(owner.instance) { found.append("\(what) \(name)") }
        }
        for one in observed.databases.items { look("database", one.name, one.owner) }
        for one in observed.roles.items { look("role", one.name, one.owner) }
        for one in observed.jobs.items { look("job", one.job, one.owner) }
        return found
    }

    /// Whether the listing that could show the thing was whole, so that its absence means something.
    func isCertain(_ kind: DriftKind) -> Bool {
        switch kind {
        case .jobGone, .jobStopped, .jobDiffers, .orphanJob: observed.jobs.isComplete
        case .databaseGone, .orphanDatabase: observed.databases.isComplete
        case .roleDrift, .orphanRole: observed.roles.isComplete
        case .orphanSubscription, .billingMissing, .billingSurplus: observed.subscriptions.isComplete
        case .routeStale: true
        }
    }

    // MARK: What should be there

    private func missing(_ one: DesiredInstance) -> [Finding] {
        guard one.stage == .running || one.stage == .stopped else { return [] }
        var found: [Finding] = []
        if let database = one.database, databases[database] == nil, observed.databases.isComplete {
            found.append(Finding(one.id, .databaseGone, database, expected: "present", observed: "absent"))
        }
        if let role = one.login ?? one.role { found += [self.role(role, one)].compactMap(\.self) }
        if one.stage == .running {
            if let job = one.job { found += [self.job(job, one)].compactMap(\.self) }
            found += [billing(one)].compactMap(\.self)
        }
        return found + [surplus(one)].compactMap(\.self)
    }

    private func role(_ name: String, _ one: DesiredInstance) -> Finding? {
        guard let role = roles[name] else {
            guard observed.roles.isComplete else { return nil }
            return Finding(one.id, .roleDrift, name, expected: "may log in", observed: "absent")
        }
        // A role that is another's now is for people; the repair refuses it and says so.
        guard !role.mayLogIn, role.owner?.instance == "\(one.id)", one.stage == .running else { return nil }
        return Finding(one.id, .roleDrift, name, expected: "may log in", observed: "may not log in")
    }

    private func job(_ name: String, _ one: DesiredInstance) -> Finding? {
        guard let job = jobs[name] else {
            guard observed.jobs.isComplete else { return nil }
            return Finding(one.id, .jobGone, name, expected: "running", observed: "absent")
        }
        if job.isStopped {
            // Stopped by a saga of ours whose fact is on its way, or by hand.
            let who = job.isStoppedByUs ? "stopped by a saga" : "stopped by hand"
            return Finding(one.id, .jobStopped, name, expected: "running", observed: who)
        }
        guard let index = one.modifyIndex, job.modifyIndex != index else { return nil }
        return Finding(one.id, .jobDiffers, name, expected: "index \(index)", observed: "index \(job.modifyIndex)")
    }

    private func billing(_ one: DesiredInstance) -> Finding? {
        guard let subscription = one.subscription else { return nil }
        let known = listed(subscription)
        guard !known.contains(where: { $0.status == .active }) else { return nil }
        guard let last = known.first else {
            guard observed.subscriptions.isComplete else { return nil }
            return Finding(one.id, .billingMissing, "\(subscription)", expected: "ACTIVE", observed: "absent")
        }
        let observed = last.status.rawValue
        return Finding(one.id, .billingMissing, "\(subscription)", expected: "ACTIVE", observed: observed)
    }

    /// Somebody has resumed it at the billing engine, or there are two: of a stopped one none should run.
    private func surplus(_ one: DesiredInstance) -> Finding? {
        guard let subscription = one.subscription else { return nil }
        let active = listed(subscription).count { $0.status == .active }
        guard active > (one.stage == .running ? 1 : 0) else { return nil }
        return Finding(
            one.id,
            .billingSurplus,
            "\(subscription)",
            expected: one.stage == .running ? "one ACTIVE" : "none ACTIVE",
            observed: "\(active) ACTIVE"
        )
    }

    private func listed(_ subscription: SubscriptionID) -> [ListedSubscription] {
        subscriptions["\(subscription)"] ?? []
    }

    private func stale(_ one: DesiredInstance) -> [Finding] {
        guard let route = one.route else { return [] }
        let isServed = one.stage == .running && route.generation == one.generation
        guard !isServed else { return [] }
        let observed = "generation \(route.generation), \(one.stage.rawValue)"
        return [Finding(one.id, .routeStale, route.router, expected: "no route", observed: observed)]
    }

    // MARK: What should not be there

    private var orphans: [Finding] {
        let owners = Dictionary(desired.map { ("\($0.id)", $0) }) { first, _ in first }
        func holder(_ owner: Ownership?) -> DesiredInstance? {
            owner.flatMap { owners[$0.instance] }.flatMap { $0.isBusy || $0.stage == .absent ? nil : $0 }
        }
        var found: [Finding] = []
        func orphan(_ one: DesiredInstance, _ kind: DriftKind, _ name: String, _ owner: Ownership?) -> Finding {
            Finding(
                one.id,
                kind,
                name,
                expected: "absent",
                observed: "present while \(one.stage.rawValue)",
                generation: owner?.generation
            )
        }
        for database in observed.databases.items where !database.name.hasPrefix(Names.quarantine) {
            guard let one = holder(database.owner), one.wants.database != database.name else { continue }
            found.append(orphan(one, .orphanDatabase, database.name, database.owner))
        }
        // A role goes after what it owns, and what is put aside has its time.
        let owning = Set(observed.databases.items.map(\.role))
        for role in observed.roles.items where observed.databases.isComplete {
            // The logins of later rotations are members of the first one, are called after it, and go with it.
            let owner = Names.owner(ofLogin: role.name)
            guard let one = holder(role.owner), !owning.contains(role.name), !owning.contains(owner),
                one.wants.role != role.name, one.wants.role != owner
            else { continue }
            found.append(orphan(one, .orphanRole, role.name, role.owner))
        }
        for job in observed.jobs.items where !job.isStopped {
            guard let one = holder(job.owner), !one.wants.jobs(job.job) else { continue }
            found.append(orphan(one, .orphanJob, job.job, job.owner))
        }
        let subscribers = Dictionary(
            desired.compactMap { one in one.subscription.map { ("\($0)", one) } }
        ) { first, _ in first }
        for subscription in observed.subscriptions.items where [.active, .paused].contains(subscription.status) {
            guard let key = subscription.key, let id = names.subscription(ofKey: key), let one = subscribers[id],
                !one.isBusy, one.stage == .terminated || one.stage == .provisioningFailed
            else { continue }
            found.append(
                Finding(
                    one.id,
                    .orphanSubscription,
                    subscription.id,
                    expected: "CANCELED",
                    observed: subscription.status.rawValue
                )
            )
        }
        return found
    }
}

extension DesiredInstance {
    /// What may be there in its name.
    fileprivate struct Wants {
        var database: String?
        var role: String?
        var job: String?
        var isLiving = false

        func jobs(_ name: String) -> Bool {
            // The second slot stands by beside the first.
            job.map { name == $0 || name == $0 + "-b" || $0 == name + "-b" } ?? isLiving
        }
    }

    fileprivate var wants: Wants {
        switch stage {
        case .terminated, .provisioningFailed: Wants()
        default: Wants(database: database, role: role, job: job, isLiving: true)
        }
    }
}

extension Names {
    /// What the names of databases begin with that were put aside.
    package static let quarantine = "zz_"

    /// The role that a login of a later rotation is called after; of every other role its own name.
    package static func owner(ofLogin role: String) -> String {
        guard let mark = role.lastIndex(of: "_") else { return role }
        let last = role[mark...].dropFirst()
        let isRotation = last.first == "r" && last.count > 1 && last.dropFirst().allSatisfy { ("0"..."9").contains($0) }
        return isRotation ? String(role[..<mark]) : role
    }

    /// The subscription that an idempotency key of ours is about; `nil` for other keys.
    package func subscription(ofKey key: String) -> String? {
        let parts = key.split(separator: ":")
        guard parts.count == 5, parts[0] == "sbx1", parts[1] == "sub", parts[4] == "create" else { return nil }
        return String(parts[2])
    }
}
