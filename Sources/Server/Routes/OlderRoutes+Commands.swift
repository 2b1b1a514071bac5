internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// What the pages and scripts of the older control plane ask to be done.
extension API {
    func olderStart(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        try await olderStarted(call, "start_triggered", backend.commands.startInstance)
    }

    func olderStop(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        try await olderStarted(call, "stop_triggered", backend.commands.stopInstance)
    }

    func olderPause(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        try await olderStarted(call, "pause_triggered", backend.commands.stopInstance)
    }

    func olderUpgrade(_ call: Call, _ body: OlderTierBody) async throws(Problem) -> Answer {
        try await olderChange(call, body, .up, "upgrade_initiated")
    }

    func olderDowngrade(_ call: Call, _ body: OlderTierBody) async throws(Problem) -> Answer {
        try await olderChange(call, body, .down, "downgrade_scheduled")
    }

    private func olderChange(
        _ call: Call,
        _ body: OlderTierBody,
        _ direction: CommandDesk.Direction,
        _ word: String
    ) async throws(Problem) -> Answer {
        let instance = try await olderInstanceToChange(call)
        let offers = backend.catalogue.offers.filter { $0.plan.tier.rawValue == body.tier.uppercased() }
        let own = offers.first { $0.computeEngine == instance.computeEngine }
        guard let offer = own ?? offers.first else {
            throw .invalid([.init("is not the tier of anything that is for sale", pointer: "#/tier")])
        }
        let envelope = try olderEnvelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.changePlan(instance.id, offer.price.code, direction, envelope)
        }
        return try olderAnswer(word, receipt)
    }

    /// What failed is tried again; what runs gets the version.
    func olderDeploy(_ call: Call, _ body: OlderVersionBody) async throws(Problem) -> Answer {
        let word = "deployment_triggered"
        let instance = try await olderInstanceToChange(call)
        let envelope = try olderEnvelope(call)
        switch instance.status {
        case .provisioningFailed:
            let receipt = try await give { () throws(CommandError) in
                try await backend.commands.retryInstance(instance.id, envelope)
            }
            return try olderAnswer(word, receipt)
        case .provisioning:
            // It is on its way; the older plane began a second time.
            return try .json(["status": word])
        case .running, .changing, .stopping, .stopped, .starting, .terminating, .terminated:
            let version = try await olderVersion(body) ?? instance.desiredRelease
            if version == instance.release.version, instance.status == .running { return try .json(["status": word]) }
            let receipt = try await give { () throws(CommandError) in
                try await backend.commands.changeRelease(instance.id, version, .zeroDowntime, envelope)
            }
            return try olderAnswer(word, receipt)
        }
    }

    func olderRollout(_ call: Call, _ body: OlderVersionBody) async throws(Problem) -> Answer {
        guard let version = try await olderVersion(body) else {
            throw .invalid([.init("is missing, and there is no default release", pointer: "#/version")])
        }
        let envelope = try envelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.startRollout(RolloutWish(version: version), envelope)
        }
        // How many instances that are is counted by the roll-out itself, wave after wave.
        let document: [String: JSONValue] = [
            "status": "rollout_enqueued", "target_version": .string(version),
            "rollout_id": .string(receipt.answer.rollout.description),
            "operation_id": .string(receipt.answer.operation.description),
        ]
        return try .json(
            document,
            position: receipt.position,
            headers: [.location: "/v1/operations/\(receipt.answer.operation)"]
        )
    }

    func olderUpdateProfile(_ call: Call, _ body: OlderProfileBody) async throws(Problem) -> Answer {
        guard case .user(let user) = try call.caller.kind else { throw .forbidden }
        let envelope = try envelope(call)
        // What is empty stays: there is no way to take a name back.
        let (first, last) = (body.firstName.isEmpty ? nil : body.firstName, body.lastName.isEmpty ? nil : body.lastName)
        if first != nil || last != nil {
            _ = try await give { () throws(CommandError) in
                try await backend.commands.updateProfile(user, first, last, envelope)
            }
        }
        return try await olderProfile(call)
    }

    func olderOnboard(_ call: Call, _ body: OlderOnboardingBody) async throws(Problem) -> Answer {
        guard let text = body.slug ?? body.namespace else {
            throw .invalid([.init("is missing", pointer: "#/org_slug")])
        }
        guard case .user(let user) = try call.caller.kind else { throw .forbidden }
        let (slug, envelope) = (olderLabel(text), try envelope(call))
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.onboard(body.name, slug, body.price, envelope)
        }
        let now = ids.now().description
        let organization: JSONValue = [
            "id": .string(receipt.answer.organization.description), "owner_id": .string(user.description),
            "name": .string(body.name), "slug": .string(receipt.answer.slug), "oss_customer_id": "",
            "created_at": .string(now), "updated_at": .string(now),
        ]
        return try .json(
            JSONValue.object(["status": "organization_initializing", "data": organization]),
            status: .created,
            position: receipt.position,
            headers: [.location: "/v1/operations/\(receipt.answer.operation)"]
        )
    }

    /// The slug itself, also of a whole host name below our domain.
    func olderLabel(_ text: String) -> String {
        let text = text.lowercased()
        let suffix = "." + (settings.olderDomain ?? "")
        return text.hasSuffix(suffix) ? String(text.dropLast(suffix.count)) : text
    }
}

extension API {
    private func olderStarted(
        _ call: Call,
        _ word: String,
        _ command: (InstanceID, CommandEnvelope) async throws(CommandError) -> Receipt<OperationStarted>
    ) async throws(Problem) -> Answer {
        let instance = try await olderInstanceToChange(call)
        let envelope = try olderEnvelope(call)
        let receipt = try await give { () throws(CommandError) in try await command(instance.id, envelope) }
        return try olderAnswer(word, receipt)
    }

    private func olderAnswer(_ word: String, _ receipt: Receipt<OperationStarted>) throws(Problem) -> Answer {
        try .json(
            ["status": word],
            position: receipt.position,
            version: receipt.version,
            headers: [.location: "/v1/operations/\(receipt.answer.operation)"]
        )
    }

    private func olderInstanceToChange(_ call: Call) async throws(Problem) -> InstanceView {
        guard let instance = try await onlyInstance(call)?.value else { throw .notFound }
        // Decided again by the command, where there is one: some of these deeds may find nothing to do.
        guard let role = try await role(of: call, in: instance.organizationID) else {
            guard try call.caller.isOperator else { throw .forbidden }
            return instance
        }
        guard [.owner, .admin, .developer].contains(role) else { throw .forbidden }
        return instance
    }

    /// The organization is in the query, and the same key for another one is another command.
    func olderEnvelope(_ call: Call) throws(Problem) -> CommandEnvelope {
        var call = call
        call.path += "?org_id=" + (call.query["org_id"] ?? "")
        return try envelope(call)
    }

    /// The version that is meant; `nil` when that is the default and there is none.
    private func olderVersion(_ body: OlderVersionBody) async throws(Problem) -> String? {
        if let version = body.version, !["", "latest"].contains(version) { return version }
        let releases = try await read { () throws(ReadError) in try await backend.reads.releases() }.value
        return releases.first { $0.isDefault }?.version
    }
}
