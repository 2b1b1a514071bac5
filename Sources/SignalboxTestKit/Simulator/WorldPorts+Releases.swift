package import Platform
internal import Sagas

/// What a change of the release asks of the targets.
extension WorldPorts: TenantProbe {
    package func end(of registered: RegisteredWorkload) async throws(PortError) -> WorkloadEnd {
        try await world.call("end", by: process) { state in
            guard let job = state.jobs[registered.job], !job.isStopped, job.version == registered.version else {
                return .success(.failed(reason: "the job was stopped"))
            }
            guard state.ends.count > 1 else { return .success(state.ends.first ?? .succeeded) }
            return .success(state.ends.removeFirst())
        }
    }

    package func address(of registered: RegisteredWorkload) async throws(PortError) -> String? {
        try await world.call("address", by: process) { state in
            guard let job = state.jobs[registered.job], !job.isStopped else { return .success(nil) }
            return .success("http://\(registered.job)")
        }
    }

    package func readiness(at address: String) async throws(PortError) -> TenantReadiness {
        try await world.call("readiness", by: process) { state in
            guard state.readiness.count > 1 else {
                return .success(state.readiness.first ?? TenantReadiness(isReady: true))
            }
            return .success(state.readiness.removeFirst())
        }
    }

    package func problem(with route: Route) async throws(PortError) -> String? {
        try await world.call("problemWithRoute", by: process) { state in
            guard state.routeProblems.isEmpty else { return .success(state.routeProblems.removeFirst()) }
            return .success(nil)
        }
    }

    package func handOverLease(
        of database: TenantDatabase,
        to slot: String,
        fence: String
    ) async throws(PortError) -> Int64 {
        try await world.call("handOverLease", by: process, lock: database.database) { state in
            guard state.databases[database.database]?.instance == database.owner.instance else {
                return .failure(.conflict(code: "3D000", message: "the database is not there"))
            }
            let lease = state.leases[database.database] ?? (slot: "a", epoch: 1)
            guard lease.slot != slot else { return .success(lease.epoch) }
            state.leases[database.database] = (slot, lease.epoch + 1)
            return .success(lease.epoch + 1)
        }
    }
}
