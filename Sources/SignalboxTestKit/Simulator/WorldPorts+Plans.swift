package import Platform
internal import Sagas

/// What a change of plan asks of the targets.
extension WorldPorts {
    package func preview(_ workload: Workload) async throws(PortError) -> String? {
        try await world.call("preview", by: process) { .success($0.missing) }
    }

    package func restore(_ workload: Workload) async throws(PortError) -> RegisteredWorkload {
        let current = try await world.call("readJob", by: process) { .success($0.jobs[workload.job]) }
        if let current, current.owner.generation > workload.owner.generation { throw .superseded(message: "newer") }
        if !hasTombstones, let current, !current.isStopped, Self.isSame(current, workload) {
            return registered(current, workload)
        }
        let index = current?.index ?? 0
        return try await world.call("restore", by: process) { state in
            if comparesAndSets, (state.jobs[workload.job]?.index ?? 0) != index {
                return .failure(.conflict(code: "cas", message: "Enforcing job modify index"))
            }
            state.index += 1
            // What runs as it should goes on running; what is on its way meets another index.
            if let found = state.jobs[workload.job], !found.isStopped, Self.isSame(found, workload) {
                state.jobs[workload.job]?.index = state.index
                state.jobs[workload.job]?.version += 1
                return .success(registered(state.jobs[workload.job] ?? found, workload))
            }
            var job = World.Job(
                owner: workload.owner,
                index: state.index,
                version: (state.jobs[workload.job]?.version ?? -1) + 1,
                isStopped: false,
                environment: workload.environment
            )
            (job.memory, job.image) = (workload.memory, workload.image)
            job.starts = state.jobs[workload.job]?.starts ?? 0
            job.start(reading: state.secrets[workload.job]?.items)
            state.jobs[workload.job] = job
            return .success(registered(job, workload))
        }
    }

    package func promote(_ registered: RegisteredWorkload) async throws(PortError) -> Bool {
        try await world.call("promote", by: process) { _ in .success(true) }
    }

    package func changeItems(
        of id: String,
        to price: BillingPrice,
        key: String
    ) async throws(PortError) -> Bool {
        let keyed = world.mutant != .idempotencyKey
        try await requireLease()
        return try await world.call("changeItems", by: process, arrivingWithin: arrival) { state in
            guard state.grantsItemChanges else { return .success(false) }
            guard !keyed || state.transitions.insert(key).inserted else { return .success(true) }
            guard let index = state.subscriptions.firstIndex(where: { $0.id == id && $0.status == .active }) else {
                return .failure(.permanent(code: "invalid_status", message: "no such active subscription"))
            }
            state.subscriptions[index].price = price.code
            return .success(true)
        }
    }
}
