internal import Audit
internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// Everything that the plane has of an organization, to take away and to check without the plane.
extension API {
    var organizationExportRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/organizations/{organization}/export",
                "exportOrganization",
                "Everything of an organization in one archive: its events with the proofs that they are in the log, and what "
                    + "its read models say; for its owners and auditors.",
                access: .scope(.read),
                success: .init(.ok, .text, type: Tar.mediaType),
                handler: exportOrganization
            )
        ]
    }

    private func exportOrganization(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        try await catchUp(call)
        // Who runs the plane may have what is left of one that is deleted.
        if let role = try await role(of: call, in: id), ![.owner, .auditor].contains(role) { throw .forbidden }
        let organization = try await read { () throws(ReadError) in try await backend.reads.organization(id) }
        guard let shown = organization.value else { throw .notFound }
        let end = try await ask { () throws(EventDoor.Failure) in try await backend.events.frontier() }
        let place = EventDoor.Place(after: 0)
        let wish = EventDoor.Wish(organization: id)
        // The first page is read before anything is answered, so that what cannot be answered at all is a problem.
        let first = try await ask { () throws(EventDoor.Failure) in try await backend.events.export(wish, place, end) }
        let export = OrganizationExport(
            backend: backend,
            organization: shown,
            end: end,
            at: ids.now(),
            patience: settings.readWait
        )
        return Answer(
            headers: [
                .logPosition: String(end), .contentDisposition: "attachment; filename=\"organization-\(id).tar\"",
            ],
            body: .stream(type: Tar.mediaType) { sink in try await export.write(first, into: &sink) }
        )
    }
}

/// One export under way: a page of events, or of a list, is in memory at a time.
private struct OrganizationExport: Sendable {
    typealias Lines = @Sendable (PageRequest) async throws -> (lines: [[UInt8]], next: String?)

    let backend: Backend
    let organization: OrganizationView
    /// The last position of the log that it has.
    let end: Int64
    let moment: Timestamp
    /// How long is waited for the end of the log to be signed.
    let patience: Duration

    init(backend: Backend, organization: OrganizationView, end: Int64, at moment: Timestamp, patience: Duration) {
        self.backend = backend
        self.organization = organization
        self.end = end
        self.moment = moment
        self.patience = patience
    }

    /// - Throws: What cuts the answer off: an archive without a manifest is not whole.
    @concurrent
    func write(_ first: ([EventView], EventDoor.Place?), into sink: inout EventSink) async throws {
        try await put("README", Array(Self.readme.utf8), &sink)
        let signers = try await sealed() ? try await backend.audit.signers() : []
        try await put("vkey", Array(signers.map { $0.vkey + "\n" }.joined().utf8), &sink)
        if let note = signers.isEmpty ? nil : try await backend.audit.checkpoint() {
            try await put("checkpoint", Array(note.utf8), &sink)
        }
        let (events, unproven) = try await writeEvents(first, into: &sink)
        try await put("models/organization.json", try JSON.encode(organization), &sink)
        for (name, lines) in lists { try await write(name, lines, into: &sink) }
        try await writeWebhooks(into: &sink)
        let manifest: JSONValue = [
            "organizationId": .string(organization.id.description), "exportedAt": .string(moment.description),
            "position": .integer(end), "events": .integer(events), "unproven": .integer(unproven),
        ]
        try await put("manifest.json", try JSON.encode(manifest), &sink)
        try await sink.write(Tar.end)
    }

    @concurrent
    private func put(_ name: String, _ bytes: [UInt8], _ sink: inout EventSink) async throws {
        try await sink.write(Tar.file(name, bytes, at: moment))
    }

    /// Waits for a signed checkpoint of everything that is exported; what it does not cover in time is said to be unproven.
    ///
    /// - Returns: Whether there is one at all.
    private func sealed() async throws -> Bool {
        let deadline = ContinuousClock.now + patience
        while true {
            let note = try await backend.audit.checkpoint()
            guard let note else { return false }
            let checkpoint = try Checkpoint(unverified: SignedNote(note.utf8))
            if checkpoint.size >= end || ContinuousClock.now >= deadline { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    @concurrent
    private func writeEvents(
        _ first: ([EventView], EventDoor.Place?),
        into sink: inout EventSink
    ) async throws -> (events: Int64, unproven: Int64) {
        let wish = EventDoor.Wish(organization: organization.id)
        var (views, place) = first
        var (count, unproven) = (Int64(0), Int64(0))
        while true {
            // Few at a time, because proofs are kept until their events are out.
            var rest = views[...]
            while !rest.isEmpty {
                let page = Array(rest.prefix(200))
                rest = rest.dropFirst(200)
                unproven += try await writePage(page, into: &sink)
                count += Int64(page.count)
            }
            guard let next = place else { return (count, unproven) }
            (views, place) = try await backend.events.export(wish, next, end)
        }
    }

    /// - Returns: How many of them are not proven.
    @concurrent
    private func writePage(_ page: [EventView], into sink: inout EventSink) async throws -> Int64 {
        guard let first = page.first else { return 0 }
        var lines: [UInt8] = []
        var proofs: [(Int64, String)] = []
        for var view in page {
            let kept = try await backend.audit.kept(view.position)
            // It may have been erased since the page was read.
            if kept?.payload == nil { view.data = Disclosure.erased }
            lines += try JSON.encode(ExportedEvent(view: view, kept: kept))
            lines.append(UInt8(ascii: "\n"))
            if let proof = kept?.proof { proofs.append((view.position, proof)) }
        }
        try await put("events/\(Self.number(first.position)).ndjson", lines, &sink)
        for (position, proof) in proofs {
            try await put("proofs/\(Self.number(position)).tlog-proof", Array(proof.utf8), &sink)
        }
        return Int64(page.count - proofs.count)
    }

    @concurrent
    private func write(_ name: String, _ lines: Lines, into sink: inout EventSink) async throws {
        var (after, number) = (String?.none, Int64(1))
        repeat {
            let page = try await lines(PageRequest(limit: 200, after: after))
            let bytes = page.lines.flatMap { $0 + [UInt8(ascii: "\n")] }
            try await put("models/\(name)-\(number).ndjson", bytes, &sink)
            (after, number) = (page.next, number + 1)
        } while after != nil
    }

    /// What each list of the organization has.
    private var lists: [(String, Lines)] {
        let (reads, id) = (backend.reads, organization.id)
        return [
            ("members", { try await Self.lines(of: reads.members(id, $0).value) }),
            ("invitations", { try await Self.lines(of: reads.invitations(id, $0).value) }),
            ("api-keys", { try await Self.lines(of: reads.keys(.organization(id), $0).value) }),
            ("instances", { try await Self.lines(of: reads.instances(id, $0).value) }),
            (
                "subscriptions",
                { request in
                    let page = try await reads.instances(id, request).value
                    var lines: [[UInt8]] = []
                    for instance in page.data {
                        guard let subscription = try await reads.subscription(instance.subscription.id).value else {
                            continue
                        }
                        lines.append(try JSON.encode(subscription))
                    }
                    return (lines, page.next)
                }
            ),
            ("operations", { try await Self.lines(of: reads.operations([id], nil, $0).value) }),
            ("audit-log", { try await Self.lines(of: reads.auditLog(id, nil, $0).value) }),
        ]
    }

    @concurrent
    private func writeWebhooks(into sink: inout EventSink) async throws {
        let shown: [WebhookShown]
        switch await backend.webhooks.list(organization.id) {
        case .success(let all): shown = all
        // There is no write model of what never had any.
        case .failure(.notFound): shown = []
        case .failure(let error): throw error
        }
        let lines = try shown.flatMap { webhook in
            let types = JSONValue.array(webhook.webhook.types.map { .string($0) })
            let document: JSONValue = [
                "id": .string(webhook.id.description), "url": .string(webhook.webhook.url), "types": types,
            ]
            return try JSON.encode(document) + [UInt8(ascii: "\n")]
        }
        try await put("models/webhooks-1.ndjson", lines, &sink)
    }

    private static func lines<Element: Encodable>(of page: Page<Element>) throws -> ([[UInt8]], String?) {
        (try page.data.map { try JSON.encode($0) }, page.next)
    }

    /// With leading zeros, so that names sort as positions do.
    private static func number(_ position: Int64) -> String {
        let text = String(position)
        return String(repeating: "0", count: max(0, 19 - text.count)) + text
    }

    private static let readme = """
        Everything that the control plane has of one organization.

        events/    every event, one JSON document on each line. `data` is what the API shows of it: what only the holder of
                   a key can read is {"sealed":true}, and what was erased is {"erased":true} and stays so. `stored` has the
                   payload as it was written, and the salt of its hash; null once it was erased.
        proofs/    for each event a proof that it is in the log (c2sp.org/tlog-proof), with the event's entry in it.
        models/    what the read models say, one JSON document on each line; a little later than the events, perhaps.
        checkpoint the newest signed checkpoint of the log, vkey the keys that have signed.
        manifest.json comes last: an archive without it is not whole.

        `signalbox org check-export FILE --vkey KEYS` holds all of it against keys that you have from elsewhere.

        """
}

/// An event as the API shows it, with what its proof is held against.
private struct ExportedEvent: Encodable {
    var view: EventView
    var kept: KeptEvent?

    private enum CodingKeys: CodingKey {
        case stored
    }

    private enum StoredKeys: CodingKey {
        case salt, payload
    }

    func encode(to encoder: any Encoder) throws {
        try view.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        guard let salt = kept?.salt, let payload = kept?.payload else {
            return try container.encodeNil(forKey: .stored)
        }
        var stored = container.nestedContainer(keyedBy: StoredKeys.self, forKey: .stored)
        try stored.encode(Hex.text(salt), forKey: .salt)
        try stored.encode(String(decoding: payload, as: UTF8.self), forKey: .payload)
    }
}
