internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform
internal import Sagas
internal import SignalboxTestKit

extension Simulation {
    /// What is wrong with how it ended; empty when nothing is.
    ///
    /// - Returns: What is wrong, in words.
    /// - Throws: What the log throws.
    package func violations() async throws -> [String] {
        var wrong: [String] = []
        let active = try await log.list(kinds: nil, statuses: SagaEngine.activeStatuses)
        let held = waitingForPeople(active)
        wrong += active.filter { !held.contains($0.stream) }.map { "\($0.stream) is \($0.status)" }
        let parked = active.filter { $0.status == "parked" }.map(\.kind)
        // Whoever cancels it wants to keep what was put aside.
        let kept = try await log.list(kinds: [ReapDatabase.kind], statuses: ["compensated"])
        let reaps = !parked.contains(ReapDatabase.kind) && held.isEmpty && kept.isEmpty
        // What is to be repaired is not as it should be until a person lets the repair go on.
        for instance in try await instances() where !parked.contains(RepairInstance.kind) {
            wrong += try await violations(of: instance, parked: parked, reaps: reaps)
        }
        return wrong + moneyViolations() + nameless() + world.harm
    }

    /// Whatever the log says may exist.
    private func instances() async throws -> [(id: InstanceID, model: Instance)] {
        var found: [(id: InstanceID, model: Instance)] = []
        let streams = Set(log.events.map(\.stream).filter { $0.category == InstanceEvent.category })
        for stream in streams.sorted() {
            guard let id = InstanceID(stream.id) else { continue }
            found.append((id, try await folded(id)))
        }
        return found
    }

    /// An instance has all of what it is made of, or nothing.
    private func violations(
        of instance: (id: InstanceID, model: Instance),
        parked: [String],
        reaps: Bool
    ) async throws -> [String] {
        var remains = Remains(of: instance.id, paidBy: instance.model.requested?.subscription, in: world)
        // Past its pivot it has only the release before to stop, and a person was told that it could not.
        if parked.contains(ChangeRelease.kind) { remains.running.removeAll { $0.slot != instance.model.serving } }
        switch instance.model.stage {
        case .running: return remains.flawsOfService(instance.model, reaps: reaps)
        case .stopped: return remains.flawsOfPause()
        case .provisioningFailed, .terminated: return remains.leftovers(reaps: reaps)
        case .absent: return []
        case .provisioning, .changing, .stopping, .starting, .terminating:
            // On its way: somebody has to be at it, or a person.
            return parked.isEmpty ? ["the instance is \(instance.model.stage.rawValue)"] : []
        }
    }

    private func moneyViolations() -> [String] {
        world.read { state in
            var wrong: [String] = []
            for subscription in state.subscriptions where subscription.activations > 1 {
                wrong.append("\(subscription.key) was activated \(subscription.activations) times")
            }
            if Set(state.subscriptions.map(\.key)).count < state.subscriptions.count {
                wrong.append("two subscriptions")
            }
            if Set(state.customers).count < state.customers.count { wrong.append("two customers") }
            return wrong
        }
    }

    /// Whatever is out there can be found from the log: its owner is a saga that said what it was about to do.
    private func nameless() -> [String] {
        let intent = SagaEvent.Name.stepStarted.rawValue
        let known = Set(log.events.filter { $0.type == intent }.compactMap { $0.stream.id.split(separator: ".").last })
        return world.read { state in
            let owners =
                state.roles.map { ($0.key, $0.value.owner) } + state.databases.map { ($0.key, $0.value) }
                + state.jobs.map { ($0.key, $0.value.owner) } + state.secrets.map { ($0.key, $0.value.owner) }
            return owners.filter { $0.1 != World.stranger && !known.contains($0.1.saga.prefix { $0 != "/" }) }
                .map { "nobody knows of \($0.0)" }
        }
    }
}

/// What is out there of one instance.
private struct Remains {
    var roles: [(name: String, password: Secret)]
    var databases: [String]
    var isolated: Set<String>
    var running: [World.Job]
    var secrets: [World.Variable]
    var subscriptions: [World.Subscription]
    var quarantined: Set<String>
    /// The slots that have the scheduler leases of its databases, where one was ever handed over.
    var leases: [String]

    init(of instance: InstanceID, paidBy subscription: SubscriptionID?, in world: World) {
        let owner = "\(instance)"
        let key = subscription.map { "sbx1:sub:\($0):" }
        self = world.read { state in
            Remains(
                roles: state.roles.filter { $0.value.owner.instance == owner }.map { ($0.key, $0.value.password) },
                databases: state.databases.filter { $0.value.instance == owner }.map(\.key),
                isolated: state.isolated,
                running: state.jobs.values.filter { $0.owner.instance == owner && !$0.isStopped },
                secrets: state.secrets.values.filter { $0.owner.instance == owner && !$0.items.isEmpty },
                subscriptions: state.subscriptions.filter { found in key.map(found.key.hasPrefix) ?? false },
                quarantined: state.quarantined,
                leases: state.leases.filter { state.databases[$0.key]?.instance == owner }.map(\.value.slot)
            )
        }
    }

    private init(
        roles: [(name: String, password: Secret)],
        databases: [String],
        isolated: Set<String>,
        running: [World.Job],
        secrets: [World.Variable],
        subscriptions: [World.Subscription],
        quarantined: Set<String>,
        leases: [String]
    ) {
        (self.roles, self.databases, self.isolated, self.running) = (roles, databases, isolated, running)
        (self.secrets, self.subscriptions, self.quarantined) = (secrets, subscriptions, quarantined)
        self.leases = leases
    }

    private var active: Int { subscriptions.filter { $0.status == .active }.count }
    private var paused: Int { subscriptions.filter { $0.status == .paused }.count }

    /// What is missing where an instance is said to run.
    func flawsOfService(_ model: Instance, reaps: Bool) -> [String] {
        var wrong = flawsOfData()
        if running.count != 1 { wrong.append("\(running.count) jobs run") }
        if active != 1 || paused > 0 { wrong.append("\(active) active and \(paused) paused subscriptions") }
        if model.route == nil { wrong.append("no route") }
        // What it was started with, and what it will be started with next.
        for (items, what) in [(running.first?.reads, "the instance"), (secrets.first?.items, "the next start")]
        where !canLogIn(items ?? [:]) {
            wrong.append("\(what) cannot log in")
        }
        if let release = model.requested?.release, running.contains(where: { $0.image != release.reference }) {
            wrong.append("another release runs")
        }
        let slots = Set(running.compactMap(\.slot))
        if slots != [model.serving] { wrong.append("\(slots.sorted()) run, and \(model.serving) should") }
        if let leases = leases.first, leases != model.serving { wrong.append("\(leases) has the scheduler lease") }
        if model.weights != nil { wrong.append("the traffic is still divided") }
        if let plan = model.requested?.plan {
            if running.contains(where: { $0.memory != plan.resources.memory }) { wrong.append("another plan runs") }
            let paid = subscriptions.filter { $0.status == .active }.map(\.price)
            if paid.contains(where: { !$0.hasPrefix(plan.tier.label) }) { wrong.append("\(paid) is paid") }
        }
        let able = roles.filter { $0.password != World.noPassword }.map(\.name)
        if reaps, able.count > 1 { wrong.append("\(able.sorted()) may all log in") }
        return wrong
    }

    private func canLogIn(_ items: [String: Secret]) -> Bool {
        guard let password = items["db_password"], let user = items["db_user"] else { return false }
        return roles.contains { $0.name == user.revealed && $0.password == password }
    }

    func flawsOfPause() -> [String] {
        var wrong = flawsOfData()
        if !running.isEmpty { wrong.append("a stopped instance runs") }
        if active > 0 { wrong.append("a stopped instance is billed") }
        return wrong
    }

    private func flawsOfData() -> [String] {
        guard databases.count == 1, !roles.isEmpty else { return ["database or role missing"] }
        return isolated.isSuperset(of: databases) ? [] : ["not isolated"]
    }

    /// What should not be there any more; `reaps` when what was put aside should be gone, too.
    func leftovers(reaps: Bool) -> [String] {
        var wrong: [String] = []
        if !databases.isEmpty { wrong.append("a database is left") }
        // A database that was put aside keeps its owner.
        if reaps, !roles.isEmpty { wrong.append("a role is left") }
        if reaps, !quarantined.isEmpty { wrong.append("what was put aside is left") }
        if !secrets.isEmpty { wrong.append("a secret is left") }
        if !running.isEmpty { wrong.append("a job is left running") }
        if active + paused > 0 { wrong.append("billed without an instance") }
        return wrong
    }
}

extension World.Job {
    /// The slot that it was told it is in.
    fileprivate var slot: String? { environment["SIGNALBOX_SLOT"] }
}
