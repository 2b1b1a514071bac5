internal import Domain
internal import Kernel
internal import Platform

extension ProvisionInput {
    /// The slots that something may be left in, the serving one first.
    var slots: [String] { [serving] + (spare.map { [$0] } ?? []) }
}

/// The two slots of an instance, and what brings the database to where a release wants it.
extension ProvisioningPorts {
    /// What is left in a slot, to be taken away by its name and owner.
    func remains(_ input: ProvisionInput, slot: String, saga: UniqueID) -> Workload {
        workload(input, slot: slot, TenantEnvironment(), saga: saga)
    }

    /// What runs once to bring the database to where the release of a slot wants it.
    ///
    /// It has a name of its own, and so a secret of its own: a job can read no other job's.
    func migration(_ workload: Workload, _ input: ProvisionInput) -> Workload {
        var migration = workload
        migration.job = names.migration(
            organization: "\(input.organization)",
            instance: input.name,
            slot: workload.slot
        )
        migration.once = settings.migrate
        (migration.canary, migration.autoRevert) = (0, false)
        return migration
    }

    /// Everything at the scheduler that may bear a name of the instance.
    func leftovers(_ input: ProvisionInput, saga: UniqueID) -> [Workload] {
        let slots = input.slots.map { remains(input, slot: $0, saga: saga) }
        guard input.migrates == true else { return slots }
        let both = [SlotName.first, SlotName.second].map { remains(input, slot: $0, saga: saga) }
        return slots + both.map { migration($0, input) }
    }

    /// A job or a variable of an instance, as the ledger names it.
    func intended(
        _ kind: IntendedResource.Kind,
        _ workload: Workload,
        _ input: ProvisionInput,
        keeps: Bool? = nil,
        removes: Bool? = nil
    ) -> IntendedResource {
        IntendedResource(
            kind,
            workload.job,
            instance: "instance-\(input.instance)",
            generation: input.generation,
            removes: removes,
            keeps: keeps
        )
    }
}
