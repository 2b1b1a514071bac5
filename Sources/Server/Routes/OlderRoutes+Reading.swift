internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// What the pages of the older control plane show.
extension API {
    func olderPrices(_ call: Call) async throws(Problem) -> Answer {
        let (product, code) = (call.query["product_id"] ?? "", call.query["code"] ?? "")
        let offers = backend.catalogue.offers.filter { offer in
            (product.isEmpty || offer.plan.tier.label == product) && (code.isEmpty || offer.price.code == code)
        }
        return try .json(JSONValue.object(["data": .array(offers.map(Self.older))]))
    }

    func olderAmounts(_ call: Call) async throws(Problem) -> Answer {
        let wanted = call.query["price_id"] ?? ""
        let offers = backend.catalogue.offers.filter { wanted.isEmpty || $0.price.code == wanted }
        let amounts = offers.map { offer -> JSONValue in
            [
                "id": .string(offer.price.code), "price_id": .string(offer.price.code),
                "unit_amount_cents": .integer(offer.price.amount), "currency": .string(offer.price.currency),
            ]
        }
        return try .json(JSONValue.object(["data": .array(amounts)]))
    }

    func olderOrganizations(_ call: Call) async throws(Problem) -> Answer {
        guard case .user(let user) = try call.caller.kind else { throw .forbidden }
        try await catchUp(call)
        var (data, position, after): ([JSONValue], Int64, String?) = ([], .max, nil)
        repeat {
            let request = PageRequest(limit: 200, after: after)
            let page = try await read { () throws(ReadError) in try await backend.reads.organizations(user, request) }
            for organization in page.value.data { data.append(try await older(organization)) }
            (after, position) = (page.value.next, min(position, page.position))
        } while after != nil
        return try .json(JSONValue.object(["data": .array(data.reversed())]), position: position)
    }

    func olderProfile(_ call: Call) async throws(Problem) -> Answer {
        guard case .user(let user) = try call.caller.kind else { throw .forbidden }
        let profile = try await give { () throws(CommandError) in try await backend.commands.profile(user) }
        return try .json(Self.older(profile))
    }

    func olderInstance(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        if let found = try await onlyInstance(call) { return try .json(older(found.value), position: found.position) }
        let id = call.query["org_id"].flatMap { Int64($0) } ?? 0
        return try .json(["status": "not_deployed", "org_id": .integer(id)] as JSONValue, status: .notFound)
    }

    func olderStream(_ call: Call) async throws(Problem) -> Answer {
        let frontier = try await ask { () throws(EventDoor.Failure) in try await backend.events.frontier() }
        guard let first = try await onlyInstance(call) else {
            // Whoever reads it comes back by itself, and finds what there is by then.
            return Answer(
                body: .events { sink in
                    try await sink.retry(milliseconds: 3000)
                    try await sink.send([.init(data: Array(#"{"status":"missing"}"#.utf8))])
                }
            )
        }
        let (id, reads, api) = (first.value.id, backend.reads, self)
        let instance = Followed<JSONValue>(
            name: nil,
            topics: [
                .stream("\(InstanceEvent.category)-\(id)"),
                .stream("\(SubscriptionEvent.category)-\(first.value.subscription.id)"),
                .access(first.value.organizationID),
            ],
            organization: first.value.organizationID,
            isOver: { $0["status"] == "terminated" },
            read: { position in
                let reading = await api.reading(
                    of: id.description,
                    reflecting: position,
                    from: api.instanceViews,
                    [Instances.self, Subscriptions.self]
                ) { () throws(ReadError) in try await reads.instance(id) }
                return reading.map { $0.map(api.older) }
            }
        )
        let shown = first.map(older)
        return Answer(
            body: .events { sink in
                try await follow(instance, for: call, from: shown, frontier: frontier, into: &sink)
            }
        )
    }

    func olderSlug(_ call: Call) async throws(Problem) -> Answer {
        guard let text = call.query["namespace"] ?? call.query["slug"], !text.isEmpty else {
            throw .badRequest("namespace is required")
        }
        let slug = olderLabel(text)
        let availability = try await give { () throws(CommandError) in
            try await backend.commands.slugAvailability(slug)
        }
        let document: [String: JSONValue] = [
            "available": .bool(availability == .available), "name": .string(call.query["name"] ?? ""),
            "namespace": .string(slug),
        ]
        return try .json(document)
    }

    /// The instance of the organization that the query names, once the caller may see that.
    func onlyInstance(_ call: Call) async throws(Problem) -> Reading<InstanceView>? {
        guard let text = call.query["org_id"] else { throw .badRequest("org_id is required") }
        guard let organization = OrganizationID(text) else { throw .badRequest("invalid org_id") }
        try await role(of: call, in: organization)
        var after: String?
        repeat {
            let request = PageRequest(limit: 200, after: after)
            let page = try await read { () throws(ReadError) in
                try await backend.reads.instances(organization, request)
            }
            if let instance = page.value.data.first(where: { $0.status != .terminated }) {
                return Reading(instance, at: page.position)
            }
            after = page.value.next
        } while after != nil
        return nil
    }
}

/// The shapes that the older pages know.
extension API {
    private func older(_ organization: OrganizationView) async throws(Problem) -> JSONValue {
        let page = PageRequest(limit: 200)
        let members = try await read { () throws(ReadError) in try await backend.reads.members(organization.id, page) }
        let owner = members.value.data.first { $0.role == .owner }?.userID.description ?? ""
        return [
            "id": .string(organization.id.description), "owner_id": .string(owner),
            "name": .string(organization.name), "slug": .string(organization.slug), "oss_customer_id": "",
            "created_at": .string(organization.createdAt.description),
            "updated_at": .string(organization.updatedAt.description),
        ]
    }

    func older(_ instance: InstanceView) -> JSONValue {
        let offers = backend.catalogue.offers.filter { $0.plan.tier == instance.plan.tier }
        let offer = offers.first { $0.computeEngine == instance.computeEngine } ?? offers.first
        let (status, lifecycle, readiness) = Self.states(instance.status)
        let url = instance.launchURL ?? ""
        var document: [String: JSONValue] = [
            "id": .string(instance.id.description), "org_id": .string(instance.organizationID.description),
            "nomad_job_id": .string(instance.slots.first?.job ?? ""),
            "desired_version": .string(instance.desiredRelease),
            "current_version": .string(instance.release.version), "version": .string(instance.release.version),
            "status": .string(status), "role": "primary", "lifecycle_state": .string(lifecycle),
            "readiness": .string(readiness), "tier": .string(instance.plan.tier.rawValue),
            "compute_engine": .string(instance.computeEngine.rawValue), "plan_id": .string(instance.plan.tier.label),
            "price_id": .string(offer?.price.code ?? ""),
            "subscription_id": .string(instance.subscription.id.description),
            "subscription_status": .string(Self.older(instance.subscription.status)),
            "launch_url": .string(url), "url": .string(url), "created_at": .string(instance.createdAt.description),
            "updated_at": .string(instance.updatedAt.description),
        ]
        if let failure = instance.lastError { document["last_error"] = .string(failure.reason) }
        return .object(document)
    }

    /// Status, state of life and readiness by their older names.
    private static func states(_ status: InstanceRow.Status) -> (String, String, String) {
        switch status {
        case .provisioning: ("provisioning", "migrating", "not_ready")
        case .provisioningFailed: ("provision_failed", "ready", "not_ready")
        case .running: ("running", "serving", "ready")
        case .changing: ("upgrading", "migrating", "ready")
        case .starting: ("provisioning", "ready", "not_ready")
        case .stopping, .stopped: ("stopped", "draining", "not_ready")
        case .terminating, .terminated: ("terminated", "terminated", "not_ready")
        }
    }

    /// As the billing engine spells it.
    private static func older(_ status: SubscriptionView.Status) -> String {
        status == .cancelled ? "CANCELED" : status.rawValue.uppercased()
    }

    private static func older(_ profile: Profile) -> JSONValue {
        let data: JSONValue = [
            "email": .string(profile.email ?? ""), "first_name": .string(profile.firstName ?? ""),
            "last_name": .string(profile.lastName ?? ""),
        ]
        return .object(["data": data])
    }

    private static func older(_ offer: Catalogue.Offer) -> JSONValue {
        let resources = offer.plan.resources
        return [
            "id": .string(offer.price.code), "product_id": .string(offer.plan.tier.label),
            "code": .string(offer.price.code), "name": .string(offer.plan.tier.rawValue),
            "pricing_model": "FLAT", "billing_mode": "LICENSED",
            "billing_interval": .string(offer.price.interval.uppercased()), "active": true,
            "metadata": [
                "type": "Instance", "tier": .string(offer.plan.tier.rawValue),
                "compute_provider": .string(offer.computeEngine.rawValue),
                "specs": ["cpu": .string("\(resources.cpu) MHz"), "ram": .string("\(resources.memory) MB")],
            ],
        ]
    }
}
