internal import Commands
internal import Domain
internal import Kernel
internal import Platform

/// Taking an instance out of service, and putting it back when that has to be taken back.
extension InstanceLifecycle {
    /// The steps by which an instance leaves service, up to a workload whose processes are gone.
    ///
    /// A serving instance is made again in the reverse order: workload, health, route.
    ///
    /// - Parameter pivot: Whether nothing is taken back any more once the workload is told to stop.
    /// - Returns: A part of a table.
    func leavingService(pivot: Bool = false) -> [SagaStep] {
        [
            SagaStep(
                "withdraw-route",
                policy: .init(target: "log"),
                ensure: withdrawRoute,
                ensureAbsent: publishRouteAgain,
                undoAfter: ["drain", "stop-workload"],
                resources: provisioning.resource(.route, keeps: true, removes: true)
            ),
            SagaStep(
                "drain",
                policy: .init(target: "edge"),
                ensure: drain,
                ensureAbsent: awaitHealthyAgain,
                undoAfter: ["stop-workload"]
            ),
            SagaStep(
                "stop-workload",
                policy: .init(target: "nomad", pivot: pivot),
                ensure: stopWorkload,
                ensureAbsent: startWorkloadAgain
            ),
            SagaStep("await-stopped", policy: .init(target: "nomad"), ensure: awaitStopped),
        ]
    }

    /// The fact is the effect: the document that the edge reads is made of it.
    func withdrawRoute(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try input(context)
        let fact = InstanceEvent.RouteWithdrawn(router: provisioning.router(input), generation: input.generation)
        return .done(StepOutcome(facts: [.instance(input.instance, .withdrawRoute(fact))]))
    }

    func publishRouteAgain(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try input(context)
        // Intent and fact are separate appends: what was only intended was never withdrawn.
        guard wasServing(context), context.outputs["withdraw-route"] != nil else { return .done }
        return UndoResult(facts: [.instance(input.instance, .publishRoute(provisioning.route(input)))])
    }

    /// Lets requests that are under way come to an end; an edge that does not notice is not waited for for ever.
    func drain(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try input(context)
        guard wasServing(context) else { return .done }
        if let edge = ports.edge, context.elapsed <= ports.settings.routePatience {
            let host = ports.names.host(slug: input.slug, instance: input.name)
            if try await edge.problem(router: provisioning.router(input), host: host) == nil {
                return .waiting(condition: "RouteWithdrawn", reason: "the edge still has the route")
            }
        }
        guard context.elapsed >= ports.settings.drain else {
            return .waiting(condition: "Drained", reason: "requests under way may end")
        }
        return .done
    }

    /// What was drained may serve again once it is healthy.
    func awaitHealthyAgain(_ context: StepContext) async throws(PortError) -> UndoResult {
        guard wasServing(context) else { return .done }
        let input = try input(context)
        let workload = try provisioning.workload(input, context)
        guard case .present(let registered) = try await ports.scheduler.probe(workload) else {
            throw .pending(code: "not-registered", message: "the workload is not registered again yet")
        }
        return try await ports.healthyAgain(registered, of: input.instance, wait: .seconds(5))
    }

    /// Stops it by compare-and-set; the name, the variable and the database stay.
    func stopWorkload(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try input(context)
        // The other slot rests already, unless somebody gave up the change that was under way there.
        if let spare = input.spare {
            try await ports.scheduler.stop(ports.remains(input, slot: spare, saga: context.saga))
        }
        try await ports.scheduler.stop(try provisioning.remains(input, context))
        return .done
    }

    /// Starts it again, and makes sure that a stop that is still on its way cannot come in any more: what it would
    /// compare with has been written over, by a stop of our own if it was not stopped yet.
    func startWorkloadAgain(_ context: StepContext) async throws(PortError) -> UndoResult {
        guard wasServing(context) else { return .done }
        let input = try input(context)
        var workload = try provisioning.workload(input, context)
        try await ports.scheduler.stop(workload)
        // Whoever stopped a workload cannot register it again.
        workload.owner.saga += "/undo"
        let registered = try await ports.scheduler.register(workload)
        return UndoResult(facts: provisioning.outcome(registered, input, context).facts)
    }

    /// Waits until its processes are gone.
    func awaitStopped(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try input(context)
        if try await ports.scheduler.isAtRest(try provisioning.remains(input, context)) { return .done }
        guard context.elapsed <= ports.settings.stopPatience else {
            throw .blocked(code: "does-not-end", message: "the workload was stopped and does not end")
        }
        return .waiting(condition: "Stopped", reason: "its processes are ending")
    }
}
