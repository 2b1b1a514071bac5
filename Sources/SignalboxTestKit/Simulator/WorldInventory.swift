package import Platform
internal import Sagas

/// Lists what a simulated world has, as the adapters list what the real targets have.
package struct WorldInventory: Inventory {
    private let world: World
    /// The cluster of the databases does not answer.
    private let isDeaf: Bool

    package init(world: World, isDeaf: Bool = false) {
        self.world = world
        self.isDeaf = isDeaf
    }

    package func databases() async throws(PortError) -> Listing<ListedDatabase> {
        guard !isDeaf else { throw .transient(code: "57P03", message: "starting up") }
        return world.read { state in
            Listing(
                state.databases.map { name, owner in
                    // The role of its own generation, and none of its later logins.
                    let role = state.roles.first { name, role in
                        (role.owner.instance, role.owner.generation) == (owner.instance, owner.generation)
                            && Names.owner(ofLogin: name) == name
                    }
                    return ListedDatabase(name: name, role: role?.key ?? "nobody", owner: owner)
                }
            )
        }
    }

    package func roles() async throws(PortError) -> Listing<ListedRole> {
        guard !isDeaf else { throw .transient(code: "57P03", message: "starting up") }
        return world.read { state in
            Listing(
                state.roles.map { name, role in
                    ListedRole(name: name, owner: role.owner, mayLogIn: role.password != World.noPassword)
                }
            )
        }
    }

    package func jobs() async throws(PortError) -> Listing<ListedJob> {
        world.read { state in
            Listing(
                state.jobs.map { name, job in
                    ListedJob(
                        job: name,
                        owner: job.owner,
                        isStopped: job.isStopped,
                        isStoppedByUs: job.stoppedBy != nil,
                        modifyIndex: job.index
                    )
                }
            )
        }
    }

    package func subscriptions() async throws(PortError) -> Listing<ListedSubscription> {
        world.read { state in
            Listing(state.subscriptions.map { ListedSubscription(id: $0.id, status: $0.status, key: $0.key) })
        }
    }
}
