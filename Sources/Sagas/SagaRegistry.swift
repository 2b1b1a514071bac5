/// Every saga that this build knows, one line each.
///
/// The composition root, the universal tests and the simulator read it. A definition whose steps change gets a new
/// version and keeps its old line until nothing runs by it any more: a run ends by the version that it began with.
package enum SagaRegistry {
    /// The definitions over these ports; several may have one kind, with different versions.
    package static func definitions(_ ports: ProvisioningPorts) -> [SagaDefinition] {
        [
            ProvisionInstance(ports: ports).definition,
            StopInstance(ports: ports).definition,
            StartInstance(ports: ports).definition,
            TerminateInstance(ports: ports).definition,
            ReapDatabase(ports: ports).definition,
            EndSubscription(ports: ports).definition,
            DeleteOrganization(ports: ports).definition,
            RepairInstance(ports: ports).definition,
            RotateCredentials(ports: ports).definition,
            ChangePlan(ports: ports).definition,
            DowngradePlan(ports: ports).definition,
            ChangeRelease(ports: ports).definition,
            ReplaceRelease(ports: ports).definition,
            RollOut(ports: ports).definition,
        ]
    }
}
