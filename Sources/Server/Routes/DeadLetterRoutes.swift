internal import HTTPTypes
internal import Kernel
internal import Projections
internal import Sagas

/// What goes on only when a person does something about it, from everywhere in one list.
extension API {
    var deadLetterRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/admin/dead-letters",
                "listDeadLetters",
                "What waits for a person: organizations that a read model leaves out since an event that could not be "
                    + "folded, parked sagas, and webhooks that were given up.",
                access: .platform,
                parameters: Route.Parameter.list + [
                    .init("kind", .oneOf(DeadLetter.Kind.allCases.map(\.rawValue)), "Only those of this kind.")
                ],
                success: .init(.ok, .named("DeadLetters")),
                handler: deadLetters
            )
        ]
    }

    private func deadLetters(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        let kinds =
            call.query["kind"].flatMap { DeadLetter.Kind(rawValue: $0) }.map { [$0] } ?? DeadLetter.Kind.allCases
        var place = try call.query["after"].map { text throws(Problem) in try DeadLetter.Place(text) }
        if let place, !kinds.contains(place.kind) { throw .badCursor }
        var letters: [DeadLetter] = []
        for kind in kinds where place.map({ kind == $0.kind }) ?? true {
            let left = call.limit - letters.count
            guard left > 0 else {
                place = DeadLetter.Place(kind: kind)
                break
            }
            let page = try await deadLetters(of: kind, after: place?.after, left)
            letters += page.data
            place = page.next.map { DeadLetter.Place(kind: kind, after: $0) }
            if place != nil { break }
        }
        var answer = try Answer.json(DeadLetter.List(data: letters, next: place?.text))
        answer.headers[.link] = place.map { link(call, after: $0.text) }
        return answer
    }

    private func deadLetters(
        of kind: DeadLetter.Kind,
        after: String?,
        _ limit: Int
    ) async throws(Problem) -> (data: [DeadLetter], next: String?) {
        switch kind {
        case .projection:
            let states = try await read { () throws(ReadError) in try await backend.reads.projections() }
            let all = states.flatMap(DeadLetter.all).sorted { $0.id < $1.id }
            let rest = after.map { after in all.filter { $0.id > after } } ?? all
            let data = Array(rest.prefix(limit))
            return (data, rest.count > limit ? data.last?.id : nil)
        case .saga:
            let page = try await asked { () throws(SagaOperationError) in
                try await backend.sagas.list(SagaWish(statuses: ["parked"]), after, limit)
            }
            return (page.data.map { DeadLetter($0) }, page.next)
        case .webhook:
            let last = after.flatMap { UniqueID($0) }
            guard (last == nil) == (after == nil) else { throw .badCursor }
            guard let found = await backend.webhooks.givenUp(last, limit + 1) else { throw .unavailable() }
            let data = found.prefix(limit).map { DeadLetter($0) }
            return (data, found.count > limit ? data.last?.id : nil)
        }
    }
}

/// One thing that waits for a person.
struct DeadLetter: Encodable, Sendable {
    enum Kind: String, CaseIterable, Encodable, Sendable {
        case projection, saga, webhook
    }

    struct List: Encodable, Sendable {
        var data: [DeadLetter]
        @Nullable var next: String?
    }

    var kind: Kind
    /// Of the saga or the webhook; of a read model its name, its shape, its build and the organization.
    var id: String
    @Nullable var organizationID: OrganizationID?
    /// The event at which it stopped.
    @Nullable var position: Int64?
    var problem: String
    /// Where what is to be done about it is asked for.
    var path: String

    private enum CodingKeys: String, CodingKey {
        case kind, id
        case organizationID = "organizationId"
        case position, problem, path
    }

    static func all(_ state: ProjectionState) -> [DeadLetter] {
        state.blockedOrganizations.map { blocked in
            let build = "\(state.name).v\(state.shape).b\(state.build)"
            return DeadLetter(
                kind: .projection,
                id: "\(build).\(blocked.organizationId.map { "\($0)" } ?? "-")",
                organizationID: blocked.organizationId,
                position: blocked.position,
                problem: blocked.error ?? "an event cannot be folded",
                path: "/v1/admin/projections/\(state.name)"
            )
        }
    }
}

extension DeadLetter {
    init(_ saga: SagaSummary) {
        self.init(
            kind: .saga,
            id: saga.id,
            organizationID: nil,
            position: nil,
            problem: "\(saga.kind) is parked" + (saga.step.map { " at \($0)" } ?? ""),
            path: "/v1/admin/sagas/\(saga.id)"
        )
    }

    init(_ webhook: WebhookDoor.GivenUp) {
        self.init(
            kind: .webhook,
            id: webhook.id.description,
            organizationID: webhook.organization,
            position: webhook.position,
            problem: webhook.problem,
            path: "/v1/organizations/\(webhook.organization)/webhooks/\(webhook.id)/deliveries"
        )
    }

    /// Where a page begins: in the list of a kind, after its last element.
    struct Place: Sendable {
        var kind: Kind
        var after: String?

        init(kind: Kind, after: String? = nil) {
            self.kind = kind
            self.after = after
        }

        /// - Throws: 400 for what no page ended with.
        init(_ text: String) throws(Problem) {
            guard let bytes = Base64URL.decode(text), let plain = String(validating: bytes, as: UTF8.self) else {
                throw .badCursor
            }
            let parts = plain.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, let kind = Kind(rawValue: parts[0]) else { throw .badCursor }
            self.init(kind: kind, after: parts[1].isEmpty ? nil : parts[1])
        }

        var text: String { Base64URL.encode("\(kind.rawValue) \(after ?? "")".utf8) }
    }
}
