import Commands
import Domain
import Kernel
import Platform
import Testing

@testable import Sagas

@Suite("The reconciler's plan")
struct PlannerTests {
    private let id = InstanceID(at: Timestamp(microseconds: 0), random: 7)
    private let subscription = SubscriptionID(at: Timestamp(microseconds: 0), random: 70)
    private let settings = Planner.Settings(settled: .seconds(60), again: .seconds(600), most: 3)
    private static let route = InstanceEvent.RoutePublished(
        router: "org-42",
        host: "h",
        service: "job",
        generation: 1
    )
    private var planner: Planner { Planner(settings: settings, names: Names()) }
    private var key: String { "sbx1:sub:\(subscription):g1:create" }

    private func time(_ seconds: Int64) -> Timestamp {
        Timestamp(microseconds: 1_790_000_000_000_000 + seconds * 1_000_000)
    }

    private func owner(_ generation: Int = 1, of instance: InstanceID? = nil) -> Ownership {
        Ownership(organization: "42", instance: "\(instance ?? id)", generation: generation, saga: "")
    }

    private func instance(_ stage: Instance.Stage = .running) -> DesiredInstance {
        DesiredInstance(
            id: id,
            stage: stage,
            database: "db",
            role: "role",
            job: "job",
            modifyIndex: 5,
            route: stage == .running ? Self.route : nil,
            subscription: subscription
        )
    }

    /// Everything as it should be.
    private var well: ObservedTargets {
        var observed = ObservedTargets()
        observed.databases = Listing([ListedDatabase(name: "db", role: "role", owner: owner())])
        observed.roles = Listing([ListedRole(name: "role", owner: owner(), mayLogIn: true)])
        observed.jobs = Listing([job("job")])
        observed.subscriptions = Listing([ListedSubscription(id: "sub-1", status: .active, key: key)])
        return observed
    }

    private func job(_ name: String, index: Int64 = 5, stopped: Bool = false) -> ListedJob {
        ListedJob(job: name, owner: owner(), isStopped: stopped, isStoppedByUs: false, modifyIndex: index)
    }

    /// Two sweeps that see the same, far enough apart.
    private func twice(_ desired: [DesiredInstance], _ observed: ObservedTargets) -> Planner.Plan {
        var memory = Planner.Memory()
        let first = planner.plan(desired, observed, &memory, at: time(0))
        #expect(first.detected.isEmpty && first.conditions.isEmpty)
        return planner.plan(desired, observed, &memory, at: time(60))
    }

    private func changed(_ change: (inout ObservedTargets) -> Void) -> ObservedTargets {
        var observed = well
        change(&observed)
        return observed
    }

    @Test("nothing is decided where all is as it should be", arguments: Instance.Stage.allCases)
    func nothing(stage: Instance.Stage) {
        guard stage == .running else {
            // Without anything observed nothing is known to be missing, and nothing too much.
            #expect(twice([instance(stage)], ObservedTargets()) == Planner.Plan())
            return
        }
        #expect(twice([instance()], well) == Planner.Plan())
    }

    @Test("each thing that is missing or other than it should be starts its repair")
    func repairs() {
        let rows: [(DriftKind, ObservedTargets)] = [
            (.jobGone, changed { $0.jobs = Listing([]) }),
            (.jobDiffers, changed { $0.jobs = Listing([job("job", index: 9)]) }),
            (.databaseGone, changed { $0.databases = Listing([]) }),
            (.roleDrift, changed { $0.roles = Listing([]) }),
            (.roleDrift, changed { $0.roles.items[0].mayLogIn = false }),
        ]
        for (kind, observed) in rows {
            let plan = twice([instance()], observed)
            #expect(plan.detected.keys.map(\.kind) == [kind])
            #expect(plan.detected.values.first?.count == 1 && plan.detected.values.first?.braked == nil)
            #expect(plan.alarms.isEmpty == (kind != .databaseGone))
        }
    }

    @Test("the login of a rotation goes with its owner: it is missed by itself, and is no orphan beside it")
    func rotatedLogins() {
        var rotated = instance()
        rotated.login = "role_r3"
        let both = [ListedRole(name: "role", owner: owner(), mayLogIn: false)]
        var observed = well
        observed.roles = Listing(both + [ListedRole(name: "role_r3", owner: owner(), mayLogIn: true)])
        #expect(twice([rotated], observed) == Planner.Plan())
        observed.roles = Listing(both)
        #expect(twice([rotated], observed).detected.keys.map(\.name) == ["role_r3"])
        // Put aside with its owner, which keeps the database for a while.
        var over = instance(.terminated)
        (over.database, over.role, over.job) = (nil, nil, nil)
        var aside = ObservedTargets()
        aside.databases = Listing([ListedDatabase(name: "zz_db_1790000000", role: "role", owner: owner())])
        aside.roles = Listing(both + [ListedRole(name: "role_r3", owner: owner(), mayLogIn: true)])
        #expect(twice([over], aside) == Planner.Plan())
        // What is only called alike is looked after by nobody.
        aside.roles.items.append(ListedRole(name: "role_g2", owner: owner(), mayLogIn: true))
        aside.roles.items.append(ListedRole(name: "role_rest", owner: owner(), mayLogIn: true))
        #expect(Set(twice([over], aside).detected.keys.map(\.name)) == ["role_g2", "role_rest"])
    }

    @Test("what people stopped, or nobody pays for, is told as a condition, and that it is well again, too")
    func conditions() throws {
        let second = ListedSubscription(id: "sub-2", status: .active, key: "sbx1:sub:\(subscription):g2:create")
        let rows: [(String, ObservedTargets)] = [
            ("WorkloadStopped", changed { $0.jobs = Listing([job("job", stopped: true)]) }),
            ("BillingMissing", changed { $0.subscriptions.items[0].status = .paused }),
            ("BillingMissing", changed { $0.subscriptions.items[0].status = .cancelled }),
            ("BillingMissing", changed { $0.subscriptions = Listing([]) }),
            ("BillingSurplus", changed { $0.subscriptions.items.append(second) }),
        ]
        for (condition, observed) in rows {
            let plan = twice([instance()], observed)
            #expect(plan.detected.isEmpty)
            let told = try #require(plan.conditions[id]?.first)
            #expect(told.condition == condition && told.status == .yes && told.generation == 1)
            // It is told once, and taken back once.
            var known = instance()
            known.conditions[condition] = told
            #expect(twice([known], observed).conditions.isEmpty)
            var memory = Planner.Memory()
            let after = planner.plan([known], well, &memory, at: time(0))
            #expect(after.conditions[id]?.map(\.status) == [.no])
        }
    }

    @Test("a stopped instance that is paid for all the same is told as a condition, until its subscription rests")
    func paidWhileStopped() throws {
        let plan = twice([instance(.stopped)], well)
        let told = try #require(plan.conditions[id]?.first)
        #expect(told.condition == "BillingSurplus" && told.status == .yes && plan.detected.isEmpty)
        #expect(told.reason.contains("1 ACTIVE"))
        #expect(twice([instance(.stopped)], changed { $0.subscriptions.items[0].status = .paused }).conditions.isEmpty)
    }

    @Test(
        "what is left of an instance that has ended is taken away",
        arguments: [Instance.Stage.terminated, .provisioningFailed]
    )
    func orphans(stage: Instance.Stage) {
        var desired = instance(stage)
        (desired.database, desired.role, desired.job) = (nil, nil, nil)
        let kinds: Set<DriftKind> = [.orphanDatabase, .orphanJob, .orphanSubscription]
        let plan = twice([desired], well)
        #expect(Set(plan.detected.keys.map(\.kind)) == kinds)
        #expect(plan.detected.values.allSatisfy { $0.braked == nil })
        // The role goes once nothing is its own, and not while something of its is put aside.
        var rest = ObservedTargets()
        rest.databases = Listing([])
        rest.roles = well.roles
        #expect(twice([desired], rest).detected.keys.map(\.kind) == [.orphanRole])
        rest.databases = Listing([ListedDatabase(name: "zz_db_1", role: "role", owner: owner())])
        #expect(twice([desired], rest).detected.isEmpty)
        rest.databases.isComplete = false
        rest.databases.items = []
        #expect(twice([desired], rest).detected.isEmpty)
    }

    @Test("what an earlier generation of a living instance left is taken away, with its own tag")
    func older() throws {
        var observed = well
        observed.databases.items.append(ListedDatabase(name: "db_old", role: "role_old", owner: owner(3)))
        let plan = twice([instance()], observed)
        let (key, drift) = try #require(plan.detected.first)
        #expect(key.kind == .orphanDatabase && key.name == "db_old" && drift.generation == 3)
    }

    @Test("the login roles of rotations and the second slot are no orphans")
    func ours() {
        var desired = instance()
        desired.login = "role_r2"
        var observed = well
        observed.roles = Listing([
            ListedRole(name: "role", owner: owner(), mayLogIn: false),
            ListedRole(name: "role_r2", owner: owner(), mayLogIn: true),
        ])
        observed.jobs.items.append(job("job-b", index: 8))
        #expect(twice([desired], observed) == Planner.Plan())
    }

    @Test("a route to what does not run is withdrawn")
    func routes() {
        var stopped = instance(.stopped)
        stopped.route = Self.route
        #expect(twice([stopped], well).detected.keys.map(\.kind) == [.routeStale])
        var newer = instance()
        newer.generation = 2
        #expect(twice([newer], well).detected.keys.map(\.kind) == [.routeStale])
    }

    @Test("a list that is not whole says nothing about what is missing")
    func incomplete() {
        var observed = ObservedTargets()
        observed.databases = Listing([], isComplete: false)
        observed.roles = Listing([], isComplete: false)
        observed.jobs = Listing([], isComplete: false)
        observed.subscriptions = Listing([], isComplete: false)
        #expect(twice([instance()], observed) == Planner.Plan())
        // Nor does it make a known drift well.
        var known = instance()
        let drift = InstanceEvent.Drift(what: "job-gone", expected: "", observed: "", name: "job", count: 1)
        known.drifts[FindingKey(instance: id, kind: .jobGone, name: "job")] = KnownDrift(fact: drift, at: time(0))
        #expect(twice([known], observed).repaired.isEmpty)
        #expect(twice([known], well).repaired.values.map(\.what) == ["job-gone"])
    }

    @Test("one sighting is none, and two in a hurry are none")
    func sightings() {
        let gone = changed { $0.jobs = Listing([]) }
        var memory = Planner.Memory()
        #expect(planner.plan([instance()], gone, &memory, at: time(0)).detected.isEmpty)
        #expect(planner.plan([instance()], gone, &memory, at: time(59)).detected.isEmpty)
        #expect(planner.plan([instance()], gone, &memory, at: time(60)).detected.count == 1)
        // Seen well in between, it begins anew; not seen at all in between, it does not.
        memory = Planner.Memory()
        _ = planner.plan([instance()], gone, &memory, at: time(0))
        _ = planner.plan([instance()], well, &memory, at: time(30))
        #expect(planner.plan([instance()], gone, &memory, at: time(90)).detected.isEmpty)
        memory = Planner.Memory()
        _ = planner.plan([instance()], gone, &memory, at: time(0))
        _ = planner.plan([instance()], changed { $0.jobs = .unknown }, &memory, at: time(30))
        #expect(planner.plan([instance()], gone, &memory, at: time(90)).detected.count == 1)
    }

    @Test("an instance that a saga works on is left alone, and what was seen of it before counts for nothing")
    func busy() {
        let gone = changed { $0.jobs = Listing([]) }
        var memory = Planner.Memory()
        var busy = instance()
        busy.isBusy = true
        _ = planner.plan([instance()], gone, &memory, at: time(0))
        #expect(planner.plan([busy], gone, &memory, at: time(100)) == Planner.Plan())
        #expect(planner.plan([instance()], gone, &memory, at: time(200)).detected.isEmpty)
    }

    @Test("too much to be taken away at once is left to a person, and everything else goes on", arguments: [3, 4])
    func brake(count: Int) {
        var desired: [DesiredInstance] = [instance()]
        var observed = changed { $0.jobs = Listing([]) }
        for number in 0..<count {
            let other = InstanceID(at: Timestamp(microseconds: 0), random: UInt64(100 + number))
            desired.append(DesiredInstance(id: other, stage: .terminated))
            var left = job("left-\(number)")
            left.owner = owner(1, of: other)
            observed.jobs.items.append(left)
        }
        let plan = twice(desired, observed)
        #expect(plan.detected.count == count + 1)
        let taken = plan.detected.filter { $0.key.kind == .orphanJob }
        #expect(taken.values.allSatisfy { ($0.braked == true) == (count > 3) })
        #expect(plan.braked == (count > 3 ? count : 0))
        #expect(plan.detected.first { $0.key.kind == .jobGone }?.value.braked == nil)
    }

    @Test("the brake grows with the number of instances")
    func share() {
        var desired = (0..<200).map { number in
            DesiredInstance(id: InstanceID(at: Timestamp(microseconds: 0), random: UInt64(number)), stage: .terminated)
        }
        var observed = ObservedTargets()
        for one in desired.prefix(4) {
            var left = job("left-\(one.id)")
            left.owner = owner(1, of: one.id)
            observed.jobs.items.append(left)
        }
        #expect(twice(desired, observed).braked == 0)
        desired.removeLast(60)
        #expect(twice(desired, observed).braked == 4)
    }

    @Test("what is known is not detected again before its time, and not for ever")
    func again() {
        let gone = changed { $0.jobs = Listing([]) }
        let key = FindingKey(instance: id, kind: .jobGone, name: "job")
        func plan(_ count: Int, after: Int64) -> Planner.Plan {
            var known = instance()
            let drift = InstanceEvent.Drift(what: "job-gone", expected: "", observed: "", name: "job", count: count)
            known.drifts[key] = KnownDrift(fact: drift, at: time(60 - after))
            return twice([known], gone)
        }
        #expect(plan(1, after: 599).detected.isEmpty)
        #expect(plan(1, after: 600).detected[key]?.count == 2)
        let last = plan(3, after: 6000)
        #expect(last.detected.isEmpty && last.alarms.count == 1)
    }

    @Test("what carries our tag for nobody we know is told, and never touched")
    func strangers() {
        var observed = well
        let nobody = InstanceID(at: Timestamp(microseconds: 0), random: 999)
        var stranger = job("stranger")
        stranger.owner = owner(1, of: nobody)
        observed.jobs.items.append(stranger)
        observed.databases.items.append(ListedDatabase(name: "theirs", role: "theirs", owner: nil))
        let plan = twice([instance()], observed)
        #expect(plan.detected.isEmpty && plan.alarms.count == 1)
    }
}
