internal import Domain
internal import EventStore
package import Kernel

extension CommandDesk {
    /// Makes an organization, its subscription and its first instance, in one append.
    ///
    /// Plan, tier and compute engine come from the price, given by its code, and from nothing else. People own what
    /// they make; operators have to name an owner.
    package func onboard(
        name: String,
        slug: String,
        price: String,
        owner: UserID? = nil,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Onboarded> {
        let owner = try await self.owner(owner, for: envelope.principal)
        return try await handler.commit(envelope, knownBy: owner.stream) { () throws(CommandError) in
            let ids = (handler.ids.identifier() as OrganizationID, handler.ids.identifier() as InstanceID)
            let operation = handler.ids.unique()
            let founding = try founding(ids.0, name: name, slug: slug, owner: owner.id)
            let order = try await order(
                instance: ids.1,
                name: InstanceName.main,
                of: (ids.0, name, slug),
                price: price,
                version: nil,
                operation: operation
            )
            return Decision(
                writes: [founding.write] + order.writes,
                claims: founding.claims + order.claims,
                answer: Onboarded(
                    operation: operation,
                    organization: ids.0,
                    slug: slug,
                    subscription: order.subscription,
                    instance: ids.1
                ),
                position: 0
            )
        }
    }

    /// Makes an organization that has no instance yet.
    package func createOrganization(
        name: String,
        slug: String,
        owner: UserID? = nil,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OrganizationCreated> {
        let owner = try await self.owner(owner, for: envelope.principal)
        return try await handler.commit(envelope, knownBy: owner.stream) { () throws(CommandError) in
            let id: OrganizationID = handler.ids.identifier()
            let founding = try founding(id, name: name, slug: slug, owner: owner.id)
            return Decision(
                writes: [founding.write],
                claims: founding.claims,
                answer: OrganizationCreated(organization: id, slug: slug),
                position: 0
            )
        }
    }

    /// Gives an organization another name; its slug stays.
    package func renameOrganization(
        _ id: OrganizationID,
        to name: String,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let organization = try await organization(id, for: envelope.principal, to: .administer)
            return try decision(organization, .rename(name), answer: Done(), envelope) { .organization($0) }
        }
    }

    /// Whether an organization could have this slug now; only taking it decides.
    package func slugAvailability(_ slug: String) async throws(CommandError) -> SlugAvailability {
        do throws(Slug.Refusal) {
            _ = try Slug(slug)
        } catch {
            switch error {
            case .malformed: return .malformed
            case .reserved: return .reserved
            }
        }
        do {
            let claim = Claim(kind: ClaimKind.slug, key: slug)
            return try await claims.holder(of: claim) == nil ? .available : .taken
        } catch {
            throw .unavailable
        }
    }

    /// Who owns what this principal makes.
    private func owner(
        _ named: UserID?,
        for principal: Principal
    ) async throws(CommandError) -> (id: UserID, stream: StreamName) {
        guard principal.has(scope: "write") else { throw .forbidden }
        let owner: UserID
        switch (principal.kind, named) {
        case (.user(let user), nil): owner = user
        case (.user(let user), .some(let named)) where user == named: owner = user
        case (.operator, .some(let user)), (.system, .some(let user)): owner = user
        default: throw .forbidden
        }
        let user = try await handler.aggregates.load(User.self, from: Streams.user(owner))
        switch user.model.stage {
        case .absent: throw .user(.notRegistered)
        case .registered: return (owner, user.stream)
        case .erased: throw .user(.erased)
        }
    }

    private func founding(
        _ id: OrganizationID,
        name: String,
        slug: String,
        owner: UserID
    ) throws(CommandError) -> (write: StreamWrite, claims: [ClaimChange]) {
        do { _ = try Slug(slug) } catch { throw .slug(error) }
        let organization = Aggregate<Organization>(absent: Streams.organization(id), organization: id)
        let events: [OrganizationEvent]
        do {
            events = try organization.decide(.create(name: name, slug: slug, owner: owner))
        } catch {
            throw .organization(error)
        }
        return (
            try organization.write(events, ids: handler.ids),
            [.take(Claim(kind: ClaimKind.slug, key: slug), for: organization.stream)]
        )
    }
}
