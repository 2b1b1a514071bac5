internal import Kernel
package import Platform

/// Runs tenants' workloads as Nomad jobs.
///
/// A job and its variable carry their owner (organization, instance, generation). What is another's is never touched;
/// what is of a newer generation ends the caller; every write is compare-and-set on what was read just before.
package struct NomadScheduler: WorkloadScheduler {
    let client: NomadClient
    let specification: JobSpecification

    package init(client: NomadClient, specification: JobSpecification) {
        self.client = client
        self.specification = specification
    }

    package func register(_ workload: Workload) async throws(PortError) -> RegisteredWorkload {
        let job = try specification.job(for: workload)
        let hash = JobSpecification.hash(of: job)
        var index: Int64 = 0
        if let current = try await client.job(workload.job) {
            switch Standing(of: current.meta, towards: workload.owner) {
            case .foreign: throw .permanent(code: "nomad.name-taken", message: "the job \(workload.job) is not ours")
            case .newer: throw .superseded(message: "a newer generation of the job \(workload.job) is there")
            case .older: break
            case .ours where current.stopped:
                // The undo of this very saga came first: whoever calls now is late.
                if current.meta[JobSpecification.MetaKey.stoppedBy] == workload.owner.saga {
                    throw .superseded(message: "the job \(workload.job) was stopped by the same saga")
                }
            case .ours:
                if try await client.plan(job, id: workload.job).unchanged {
                    return registered(current, workload, hash)
                }
            }
            index = current.modifyIndex
        }
        try await EffectLease.require()
        try await client.register(job, ifIndexIs: index)
        // Older versions of Nomad could let two writers pass the same index, so what counts is what is there now.
        guard let written = try await client.job(workload.job), !written.stopped,
            Standing(of: written.meta, towards: workload.owner) == .ours
        else { throw .conflict(code: "nomad.conflict", message: "the job \(workload.job) was changed by another") }
        return registered(written, workload, hash)
    }

    package func stop(_ workload: Workload) async throws(PortError) {
        let current = try await client.job(workload.job)
        if let current {
            switch Standing(of: current.meta, towards: workload.owner) {
            case .foreign, .newer: return
            case .older: break
            case .ours:
                if current.stopped, current.meta[JobSpecification.MetaKey.stoppedBy] == workload.owner.saga { return }
            }
        }
        // A specification that Nomad would refuse was never registered, and needs no tombstone.
        if let tombstone = try? specification.tombstone(for: workload) {
            // After the index was read: whoever has taken over since has written, or finds what is written now.
            try await EffectLease.require()
            try await client.register(tombstone, ifIndexIs: current?.modifyIndex ?? 0)
        } else if current == nil {
            return
        }
        if try await isStopped(workload) { return }
        // An agent that does not honour `Stop` in a registration; the plain way knows no compare-and-set.
        try await client.deregister(workload.job, purge: false)
        guard try await isStopped(workload) else {
            throw .pending(code: "nomad.not-stopped", message: "the job \(workload.job) does not stop")
        }
    }

    package func purge(_ workload: Workload) async throws(PortError) {
        if let current = try await client.job(workload.job) {
            switch Standing(of: current.meta, towards: workload.owner) {
            case .foreign, .newer: return
            case .ours, .older: break
            }
            guard current.stopped else {
                throw .conflict(code: "nomad.running", message: "the job \(workload.job) was not stopped")
            }
            try await EffectLease.require()
            try await client.deregister(workload.job, purge: true)
        }
        let path = NomadVariable.path(job: workload.job)
        guard let mark = try await client.variable(path) else { return }
        switch Standing(of: mark.items, towards: workload.owner) {
        case .foreign, .newer: return
        case .ours, .older: try await client.deleteVariable(path, ifIndexIs: mark.modifyIndex)
        }
    }

    package func isAtRest(_ workload: Workload) async throws(PortError) -> Bool {
        try await client.allocations(of: workload.job).allSatisfy(\.isOver)
    }

    private func isStopped(_ workload: Workload) async throws(PortError) -> Bool {
        guard let job = try await client.job(workload.job) else { return true }
        return job.stopped || Standing(of: job.meta, towards: workload.owner) != .ours
    }

    /// Absent also means: there, but not as it should be, so that it has to be registered (again).
    package func probe(_ workload: Workload) async throws(PortError) -> Presence<RegisteredWorkload> {
        guard let current = try await client.job(workload.job) else { return .absent }
        switch Standing(of: current.meta, towards: workload.owner) {
        case .foreign: return .foreign("the job \(workload.job) is not ours")
        case .newer: return .newer
        case .older: return .absent
        case .ours where current.stopped: return .absent
        case .ours:
            let job = try specification.job(for: workload)
            guard try await client.plan(job, id: workload.job).unchanged else { return .absent }
            return .present(registered(current, workload, JobSpecification.hash(of: job)))
        }
    }

    private func registered(_ job: NomadJob, _ workload: Workload, _ hash: String) -> RegisteredWorkload {
        RegisteredWorkload(job: workload.job, version: job.version, modifyIndex: job.modifyIndex, specHash: hash)
    }
}

/// Whose something outside is, by what is written on it.
enum Standing: Equatable {
    case ours
    case older
    case newer
    case foreign

    init(of marks: [String: String], towards owner: Ownership) {
        guard marks[JobSpecification.MetaKey.organization] == owner.organization,
            marks[JobSpecification.MetaKey.instance] == owner.instance,
            let generation = marks[JobSpecification.MetaKey.generation].flatMap({ Int($0) })
        else {
            self = .foreign
            return
        }
        self = generation == owner.generation ? .ours : generation < owner.generation ? .older : .newer
    }
}
