internal import Commands
internal import Domain
internal import Kernel
internal import Platform

/// Traffic and lease: how the other slot takes over, and how it is all given back.
extension ChangeRelease {
    /// The fact is the effect: the document that the edge reads is made of it.
    func shift(_ context: StepContext, reads: Int, writes: Int) throws(PortError) -> StepResult {
        let input = try context.decoded(ReleaseInput.self)
        return .done(
            StepOutcome(facts: [.instance(input.instance, .shiftTraffic(weights(input, reads, writes)))])
        )
    }

    /// All of it to where it was, in one go.
    func shiftBack(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try context.decoded(ReleaseInput.self)
        return UndoResult(facts: [.instance(input.instance, .shiftTraffic(weights(input, 0, 0)))])
    }

    /// Asks the edge itself whether it divides the traffic so, and watches that for a while before more of it comes.
    func confirm(_ context: StepContext, reads: Int, writes: Int) async throws(PortError) -> StepResult {
        let input = try context.decoded(ReleaseInput.self)
        let isLate = context.elapsed > ports.settings.routePatience
        if let edge = ports.edge, let problem = try await edge.problem(with: route(input, reads, writes)) {
            guard !isLate else { throw .permanent(code: "route-not-live", message: "not live in time: \(problem)") }
            return .waiting(condition: "RouteLive", reason: problem)
        }
        switch try await ports.scheduler.condition(of: try standing(context)) {
        case .healthy: break
        case .failed(let reason): throw .permanent(code: "workload-failed", message: reason)
        case .deploying(let reason), .waitingForCapacity(let reason):
            guard !isLate else { throw .permanent(code: "not-healthy", message: "not well any more: \(reason)") }
            return .waiting(condition: "Healthy", reason: reason)
        }
        guard context.elapsed >= ports.settings.shiftPause else {
            return .waiting(condition: "Watched", reason: "its share of the traffic is watched for a while")
        }
        return .done
    }

    /// Nothing is stopped that somebody may still be sent to.
    func awaitTrafficBack(_ context: StepContext) async throws(PortError) -> UndoResult {
        guard context.begun.contains(Self.firstShift) else { return .done }
        let input = try context.decoded(ReleaseInput.self)
        guard let edge = ports.edge else {
            // Nobody says when the edge has noticed, so it is given the time that requests have to end.
            guard context.attempt > 1 || ports.settings.drain == .zero else {
                throw .pending(
                    code: "settling",
                    message: "the edge may not have noticed yet",
                    retryAfter: ports.settings.drain
                )
            }
            return .done
        }
        if let problem = try await edge.problem(with: route(input, 0, 0)) {
            throw .pending(code: "route-not-live", message: problem, retryAfter: .milliseconds(500))
        }
        return .done
    }

    /// The other slot's scheduler works from here on, and this one's does not: one statement, with an epoch that grows.
    func handOverLease(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ReleaseInput.self)
        let lease = try await give(to: input.standing, context)
        return .done(
            StepOutcome(
                output: ["epoch": .integer(lease.epoch)],
                facts: [
                    .instance(input.instance, .recordLease(lease)),
                    .instance(input.instance, .moveSlot(.draining, input.slot(input.made))),
                ]
            )
        )
    }

    func takeLeaseBack(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try context.decoded(ReleaseInput.self)
        let lease = try await give(to: input.made, context)
        return UndoResult(
            facts: [
                .instance(input.instance, .recordLease(lease)),
                .instance(input.instance, .moveSlot(.serving, input.slot(input.made))),
            ]
        )
    }

    /// Lets requests that are under way come to an end; with the lease, the other one has to be ready without exception.
    func drain(_ context: StepContext) async throws(PortError) -> StepResult {
        if let problem = try await readinessProblem(context, standingBy: false) {
            guard context.elapsed <= ports.settings.readyPatience else {
                throw .permanent(code: "not-ready", message: "not ready with the lease: \(problem)")
            }
            return .waiting(condition: "Ready", reason: problem)
        }
        guard context.elapsed >= ports.settings.drain else {
            return .waiting(condition: "Drained", reason: "requests under way may end")
        }
        return .done
    }

    /// The point of no return: what stood by is the instance, for every saga that comes after.
    func promote(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ReleaseInput.self)
        let (made, standing) = (input.made.agreed, input.standing.agreed)
        let registered = try registered(context)
        let workload = InstanceEvent.WorkloadRegistered(
            job: registered.job,
            jobVersion: registered.version,
            modifyIndex: registered.modifyIndex,
            specHash: registered.specHash,
            generation: standing.generation,
            oauthClient: standing.oauthClient
        )
        let changed = InstanceEvent.Changed(
            change: InstanceChange.version,
            from: made.release.version,
            to: standing.release.version,
            release: standing.release
        )
        let commands: [Instance.Command] = [
            .recordWorkload(workload),
            .recordHealthy(.init(job: registered.job, jobVersion: registered.version)),
            .moveSlot(.serving, input.slot(input.standing)),
            .publishRoute(ProvisionInstance(ports: ports).route(standing)),
            .recordChanged(changed),
        ]
        return .done(StepOutcome(facts: commands.map { .instance(input.instance, $0) }))
    }

    private func give(
        to made: MadeInstance,
        _ context: StepContext
    ) async throws(PortError) -> InstanceEvent.LeaseHandedOver {
        let database = ports.database(made.agreed, saga: context.saga)
        let epoch = try await ports.databases.handOverLease(
            of: database,
            to: made.agreed.serving,
            fence: context.fence
        )
        return InstanceEvent.LeaseHandedOver(
            slot: made.agreed.serving,
            epoch: epoch,
            generation: made.agreed.generation
        )
    }

    private func weights(_ input: ReleaseInput, _ reads: Int, _ writes: Int) -> InstanceEvent.TrafficShifted {
        let provisioning = ProvisionInstance(ports: ports)
        func weight(_ made: MadeInstance, _ reads: Int, _ writes: Int) -> InstanceEvent.SlotWeight {
            InstanceEvent.SlotWeight(
                slot: made.agreed.serving,
                service: provisioning.route(made.agreed).service,
                reads: reads,
                writes: writes
            )
        }
        let both = [weight(input.made, 100 - reads, 100 - writes), weight(input.standing, reads, writes)]
        return InstanceEvent.TrafficShifted(
            router: provisioning.router(input.made.agreed),
            weights: both.sorted { $0.slot < $1.slot },
            generation: input.made.agreed.generation
        )
    }

    private func route(_ input: ReleaseInput, _ reads: Int, _ writes: Int) -> Route {
        let weights = weights(input, reads, writes)
        let agreed = input.made.agreed
        return Route(
            router: weights.router,
            host: ports.names.host(slug: agreed.slug, instance: agreed.name),
            services: weights.services(\.writes),
            reads: weights.services(\.reads)
        )
    }
}

extension InstanceEvent.TrafficShifted {
    /// The weight of each service that gets any.
    fileprivate func services(_ share: KeyPath<InstanceEvent.SlotWeight, Int>) -> [String: Int] {
        let shares = weights.map { ($0.service, $0[keyPath: share]) }
        return Dictionary(shares.filter { $0.1 > 0 }) { first, _ in first }
    }
}
