internal import Commands
internal import Domain
internal import Kernel
internal import Platform

extension ProvisionInstance {
    /// The fact is the effect: the document that the edge reads is made of it.
    func publishRoute(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        return .done(StepOutcome(facts: [.instance(input.instance, .publishRoute(route(input)))]))
    }

    func route(_ input: ProvisionInput) -> InstanceEvent.RoutePublished {
        InstanceEvent.RoutePublished(
            router: router(input),
            host: ports.names.host(slug: input.slug, instance: input.name),
            service: ports.names.job(organization: "\(input.organization)", instance: input.name, slot: input.serving),
            generation: input.generation
        )
    }

    func withdrawRoute(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try context.decoded(ProvisionInput.self)
        // Intent and fact are separate appends: what was only intended was never published.
        guard context.outputs["publish-route"] != nil else { return .done }
        let fact = InstanceEvent.RouteWithdrawn(router: router(input), generation: input.generation)
        return UndoResult(facts: [.instance(input.instance, .withdrawRoute(fact))])
    }

    /// Asks the edge itself whether traffic gets through.
    func confirmRoute(_ context: StepContext) async throws(PortError) -> StepResult {
        guard let edge = ports.edge else { return .skipped(why: "no edge is configured") }
        let input = try context.decoded(ProvisionInput.self)
        let host = ports.names.host(slug: input.slug, instance: input.name)
        guard let problem = try await edge.problem(router: router(input), host: host) else { return .done }
        guard context.elapsed <= ports.settings.routePatience else {
            throw .permanent(code: "route-not-live", message: "not live in time: \(problem)")
        }
        return .waiting(condition: "RouteLive", reason: problem)
    }

    func markRunning(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let fact = InstanceEvent.Running(
            generation: input.generation,
            launchURL: ports.names.launchURL(slug: input.slug, instance: input.name)
        )
        return .done(StepOutcome(facts: [.instance(input.instance, .markRunning(fact))]))
    }

    func router(_ input: ProvisionInput) -> String {
        ports.names.router(organization: "\(input.organization)", instance: input.name)
    }
}
