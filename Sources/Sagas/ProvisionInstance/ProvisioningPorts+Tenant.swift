internal import Commands
internal import Domain
internal import Kernel
internal import Platform

/// What a tenant is made of, by what was agreed on alone: the same for the saga that makes it and for all that change it.
extension ProvisioningPorts {
    func owner(_ input: ProvisionInput, saga: UniqueID) -> Ownership {
        Ownership(
            organization: "\(input.organization)",
            instance: "\(input.instance)",
            generation: input.generation,
            saga: "\(saga)"
        )
    }

    func database(_ input: ProvisionInput, saga: UniqueID) -> TenantDatabase {
        let organization = "\(input.organization)"
        return TenantDatabase(
            database: names.database(
                organization: organization,
                instance: input.name,
                generation: input.generation
            ),
            role: names.role(organization: organization, instance: input.name, generation: input.generation),
            connectionLimit: settings.connectionLimit,
            owner: owner(input, saga: saga)
        )
    }

    func secret(
        _ purpose: DerivedSecrets.Purpose,
        _ input: ProvisionInput,
        _ credentials: InstanceEvent.CredentialsReserved
    ) throws(PortError) -> Secret {
        do throws(MasterKeys.Problem) {
            let text = try derived.secret(
                purpose,
                organization: input.organization,
                instance: input.instance,
                credentials: credentials
            )
            return Secret(text)
        } catch {
            let message = "the master key of version \(credentials.keyVersion) is missing"
            throw .blocked(code: "master-key", message: message)
        }
    }

    /// What runs in a slot.
    ///
    /// - Parameters:
    ///   - input: What was agreed on.
    ///   - slot: Which of the instance's two.
    ///   - oauthClient: The id at the identity service; `nil` when there is none.
    ///   - saga: Who asks, for the ownership tag.
    /// - Returns: The whole of it.
    /// - Throws: ``PortError/blocked(code:message:)`` naming every value that is missing.
    func workload(
        _ input: ProvisionInput,
        slot: String,
        oauthClient: String?,
        saga: UniqueID
    ) throws(PortError) -> Workload {
        let environment = try TenantEnvironment(
            input,
            slot: slot,
            database: (database(input, saga: saga).database, databases.address),
            oauthClient: oauthClient,
            settings: settings
        )
        return workload(input, slot: slot, environment, saga: saga)
    }

    /// The same with an environment that is at hand, or none.
    func workload(
        _ input: ProvisionInput,
        slot: String,
        _ environment: TenantEnvironment,
        saga: UniqueID
    ) -> Workload {
        Workload(
            job: names.job(organization: "\(input.organization)", instance: input.name, slot: slot),
            slot: slot,
            owner: owner(input, saga: saga),
            tier: input.plan.tier.label,
            computeEngine: input.computeEngine.rawValue,
            cpu: input.plan.resources.cpu,
            memory: input.plan.resources.memory,
            priority: input.plan.resources.priority,
            canary: input.plan.update.canary,
            autoRevert: input.plan.update.autoRevert,
            image: input.release.reference,
            environment: environment.open,
            secretEnvironment: environment.secret
        )
    }

    /// The items of a workload's secret.
    ///
    /// A rotation changes how the tenant logs in to its database and nothing else: what it keeps encrypted there, and
    /// the sessions of its users, stay readable.
    ///
    /// - Parameters:
    ///   - workload: Which items it reads.
    ///   - input: What was agreed on.
    ///   - login: The credentials that the database is entered with.
    ///   - first: The credentials that the generation began with.
    /// - Returns: The items, by name.
    /// - Throws: ``PortError/blocked(code:message:)`` when a master key or a kept secret is missing.
    func items(
        of workload: Workload,
        _ input: ProvisionInput,
        login: InstanceEvent.CredentialsReserved,
        first: InstanceEvent.CredentialsReserved
    ) async throws(PortError) -> [String: Secret] {
        let role = names.role(
            organization: "\(input.organization)",
            instance: input.name,
            generation: input.generation
        )
        var items = [
            TenantEnvironment.Item.user: Secret(names.login(role: role, rotation: login.rotation)),
            TenantEnvironment.Item.database: try secret(.databasePassword, input, login),
            TenantEnvironment.Item.jwt: try secret(.jwtSecret, input, first),
            TenantEnvironment.Item.payment: try secret(.paymentProviderSecret, input, first),
        ]
        let others = [TenantEnvironment.Item.oauth: oauthSecret(input), TenantEnvironment.Item.redis: "redis"]
        for (item, name) in others where workload.secretEnvironment.values.contains(item) {
            guard let secret = try await kept.secret(named: name) else {
                throw .blocked(code: "secret-missing", message: "no secret is kept as \(name)")
            }
            items[item] = secret
        }
        return items
    }

    /// Every instance has a client of its own: registering one replaces its redirects, and taking one back rotates its
    /// secret, neither of which may touch another instance of the organization.
    func oauthOwner(_ input: ProvisionInput) -> String {
        input.name == Names.mainInstance ? "\(input.organization)" : "\(input.organization)-\(input.name)"
    }

    func oauthSecret(_ input: ProvisionInput) -> String { "oauth-client-" + oauthOwner(input) }
}

extension ReleaseSnapshot {
    /// What is run: by digest when that is known.
    package var reference: String {
        digest.map { "\(image)@\($0)" } ?? image
    }
}
