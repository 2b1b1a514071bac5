package import Platform
internal import Sagas

/// What a rotation of credentials asks of the targets.
extension WorldPorts {
    package func ensureLogin(
        _ login: String,
        of database: TenantDatabase,
        password: Secret,
        fence: String
    ) async throws(PortError) {
        try await world.call("ensureLogin", by: process, lock: database.database) { state -> Result<Void, PortError> in
            guard state.databases[database.database]?.instance == database.owner.instance else {
                return .failure(.conflict(code: "3D000", message: "the database is not there"))
            }
            if let found = state.roles[login], found.owner.instance != database.owner.instance {
                return .failure(.permanent(code: "42710", message: "the role is another's"))
            }
            state.roles[login] = (database.owner, password)
            return .success(())
        }
    }

    package func isInUse(_ login: String, of database: TenantDatabase) async throws(PortError) -> Bool {
        try await world.call("isInUse", by: process) { state in
            .success(
                state.jobs.values.contains { job in
                    !job.isStopped && job.owner.instance == database.owner.instance
                        && job.reads["db_user"]?.revealed == login
                }
            )
        }
    }

    package func retireLogin(
        _ login: String,
        of database: TenantDatabase,
        fence: String
    ) async throws(PortError) {
        try await world.call("retireLogin", by: process, lock: database.database) { state -> Result<Void, PortError> in
            guard state.roles[login]?.owner.instance == database.owner.instance else { return .success(()) }
            if login == database.role {
                state.roles[login]?.password = World.noPassword
            } else {
                state.roles[login] = nil
            }
            return .success(())
        }
    }

    package func restoreSecret(_ items: [String: Secret], for workload: Workload) async throws(PortError) -> Bool {
        let current = try await world.call("readSecret", by: process) { .success($0.secrets[workload.job]) }
        if let current, current.owner.generation > workload.owner.generation { return false }
        let isUntouched = current?.items == items
        if !hasTombstones, isUntouched { return false }
        if current?.emptiedBy == workload.owner.saga, isUntouched { return true }
        let index = current?.index ?? 0
        try await world.call("putSecret", by: process) { state -> Result<Void, PortError> in
            if comparesAndSets, (state.secrets[workload.job]?.index ?? 0) != index {
                return .failure(.conflict(code: "cas", message: "the variable has moved"))
            }
            state.index += 1
            state.secrets[workload.job] = World.Variable(
                owner: workload.owner,
                index: state.index,
                items: items,
                emptiedBy: hasTombstones ? workload.owner.saga : nil
            )
            return .success(())
        }
        return !isUntouched
    }

    /// Whatever has read another secret than there is now is started anew right after it was looked at.
    package func starts(of workload: Workload) async throws(PortError) -> [String: String] {
        try await world.call("starts", by: process) { state -> Result<[String: String], PortError> in
            guard let job = state.jobs[workload.job], !job.isStopped else {
                return .failure(.conflict(code: "not-running", message: "the job does not run"))
            }
            if state.restartsByItself, job.reads != state.secrets[workload.job]?.items {
                state.jobs[workload.job]?.start(reading: state.secrets[workload.job]?.items)
            }
            return .success(["allocation": "\(job.starts)"])
        }
    }

    package func restart(_ workload: Workload, startedAt starts: [String: String]) async throws(PortError) {
        try await world.call("restart", by: process) { state -> Result<Void, PortError> in
            guard let job = state.jobs[workload.job], starts["allocation"] == "\(job.starts)" else {
                return .success(())
            }
            state.jobs[workload.job]?.start(reading: state.secrets[workload.job]?.items)
            return .success(())
        }
    }

    package func condition(of workload: Workload) async throws(PortError) -> WorkloadHealth {
        try await world.call("condition", by: process) { state in
            guard state.jobs[workload.job]?.isStopped == false else {
                return .success(.failed(reason: "it is stopped"))
            }
            guard state.health.count > 1 else { return .success(state.health.first ?? .healthy) }
            return .success(state.health.removeFirst())
        }
    }
}

extension World {
    /// What a role has that nobody may log in as.
    package static let noPassword = Secret("")
}
