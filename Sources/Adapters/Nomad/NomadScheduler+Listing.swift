internal import Kernel
package import Platform

extension NomadScheduler {
    /// The jobs whose name begins like a tenant's, whoever they belong to.
    package func list(jobsFrom prefix: String) async throws(PortError) -> Listing<ListedJob> {
        let stubs = try await client.stubs(prefix: prefix)
        let jobs = stubs.compactMap { stub -> ListedJob? in
            guard let id = stub["ID"]?.string, let index = stub["JobModifyIndex"]?.integer else { return nil }
            let meta = stub["Meta"]?.object?.compactMapValues(\.string) ?? [:]
            return ListedJob(
                job: id,
                owner: Ownership(meta: meta),
                isStopped: stub["Stop"]?.bool ?? false,
                isStoppedByUs: meta[JobSpecification.MetaKey.stoppedBy] != nil,
                modifyIndex: index
            )
        }
        // A stub that cannot be read may be any job.
        return Listing(jobs, isComplete: jobs.count == stubs.count)
    }
}

extension Ownership {
    fileprivate init?(meta: [String: String]) {
        guard let organization = meta[JobSpecification.MetaKey.organization],
            let instance = meta[JobSpecification.MetaKey.instance],
            let generation = meta[JobSpecification.MetaKey.generation].flatMap({ Int($0) })
        else { return nil }
        self.init(organization: organization, instance: instance, generation: generation, saga: "")
    }
}
