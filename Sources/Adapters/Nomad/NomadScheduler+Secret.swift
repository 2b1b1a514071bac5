internal import Kernel
package import Platform

extension NomadScheduler {
    package func putSecret(_ items: [String: Secret], for workload: Workload) async throws(PortError) {
        let path = NomadVariable.path(job: workload.job)
        let wanted = try contents(items, workload)
        var index: Int64 = 0
        if let current = try await client.variable(path) {
            switch Standing(of: current.items, towards: workload.owner) {
            case .foreign:
                throw .permanent(code: "nomad.name-taken", message: "the variable of \(workload.job) is not ours")
            case .newer: throw .superseded(message: "a newer generation wrote the variable of \(workload.job)")
            case .ours where current.items[JobSpecification.MetaKey.stoppedBy] == workload.owner.saga:
                throw .superseded(message: "the variable of \(workload.job) was emptied by the same saga")
            case .ours, .older: break
            }
            // Every write restarts the tasks that read it, even one of the same items.
            if current.items == wanted { return }
            index = current.modifyIndex
        }
        try await EffectLease.require()
        try await client.put(wanted, at: path, ifIndexIs: index)
    }

    /// Writes even when nothing has changed: a write that is still on its way meets another index then.
    package func restoreSecret(_ items: [String: Secret], for workload: Workload) async throws(PortError) -> Bool {
        let path = NomadVariable.path(job: workload.job)
        var wanted = try contents(items, workload)
        let current = try await client.variable(path)
        let mark = (JobSpecification.MetaKey.stoppedBy, workload.owner.saga)
        if let current {
            switch Standing(of: current.items, towards: workload.owner) {
            case .foreign, .newer: return false
            case .ours, .older: break
            }
            let isUntouched = current.items == wanted
            wanted[mark.0] = mark.1
            // Whether an earlier call found other items there is not known any more.
            if current.items == wanted { return true }
            try await client.put(wanted, at: path, ifIndexIs: current.modifyIndex)
            return !isUntouched
        }
        wanted[mark.0] = mark.1
        try await client.put(wanted, at: path, ifIndexIs: 0)
        return true
    }

    /// Leaves a mark without secrets: a write that is still on its way meets another index, where it would find the
    /// variable absent, and so just as it left it, had it been deleted.
    package func deleteSecret(for workload: Workload) async throws(PortError) {
        let path = NomadVariable.path(job: workload.job)
        let current = try await client.variable(path)
        var mark = JobSpecification.meta(of: workload.owner).compactMapValues(\.string)
        mark[JobSpecification.MetaKey.stoppedBy] = workload.owner.saga
        if let current {
            if current.items == mark { return }
            switch Standing(of: current.items, towards: workload.owner) {
            case .foreign, .newer: return
            case .ours, .older: break
            }
        }
        try await EffectLease.require()
        try await client.put(mark, at: path, ifIndexIs: current?.modifyIndex ?? 0)
    }

    /// The items and whose they are; a variable has no place for a tag but its items.
    private func contents(_ items: [String: Secret], _ workload: Workload) throws(PortError) -> [String: String] {
        var contents = items.mapValues(\.revealed)
        for name in contents.keys.sorted() where contents[name]?.isEmpty ?? true {
            throw .permanent(code: "nomad.specification", message: "the secret item \(name) has no value")
        }
        for name in Set(workload.secretEnvironment.values).sorted() where contents[name] == nil {
            throw .permanent(code: "nomad.specification", message: "the secret item \(name) is missing")
        }
        for (key, value) in JobSpecification.meta(of: workload.owner) { contents[key] = value.string }
        // Nomad counts the bytes of keys and values (`structs.VariableDecrypted.Validate`).
        guard contents.reduce(0, { $0 + $1.key.utf8.count + $1.value.utf8.count }) <= 65_536 else {
            throw .permanent(code: "nomad.specification", message: "the secret is larger than 64 KiB")
        }
        return contents
    }
}
