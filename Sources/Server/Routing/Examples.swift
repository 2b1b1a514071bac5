internal import Kernel

/// Examples of what goes in and comes out, made from the shapes: the names of the members say what stands there.
struct Examples: Sendable {
    /// What names of shapes stand for.
    private let shapes: [String: Schema]

    init(shapes: [String: Schema]) {
        self.shapes = shapes
    }

    /// A value of a shape.
    ///
    /// - Parameters:
    ///   - schema: The shape.
    ///   - name: The member that it is the value of, or the name of the shape.
    ///   - owner: What the member is of.
    /// - Returns: The first sample of that name that fits, or something of the kind.
    func value(of schema: Schema, named name: String, in owner: String = "") -> JSONValue {
        for known in ["\(owner).\(name)", name].flatMap({ Self.samples[$0] ?? [] }) where fits(known, schema) {
            return known
        }
        switch schema {
        case .object(let members):
            let values = members.filter { !Self.omitted.contains("\(name).\($0.name)") }.map {
                ($0.name, value(of: $0.schema, named: $0.name, in: name))
            }
            return .object(Dictionary(values) { first, _ in first })
        case .named(let shape):
            return shapes[shape].map { value(of: $0, named: Self.lowered(shape)) } ?? .object([:])
        case .array(let element):
            let one = name.hasSuffix("s") ? String(name.dropLast()) : name
            return .array([value(of: element, named: one, in: owner)])
        case .string(let range, let format, _):
            switch format {
            case .uuid: return "0190f2d4-3a8e-7cc1-8f00-0123456789ab"
            case .time: return "2026-01-31T10:00:00.000000Z"
            case nil: return .string(range.contains(name.count) ? name : "1")
            }
        case .oneOf(let values): return values.first.map { .string($0) } ?? .null
        case .integer(let range): return .integer(max(range.lowerBound, min(range.upperBound, 1)))
        case .boolean: return false
        case .number: return .number(0.5)
        case .nullable(let inner): return value(of: inner, named: name, in: owner)
        case .anything: return [:]
        case .json: return "Acme"
        }
    }

    /// What a route may be sent; `nil` when it takes no body.
    func request(_ route: Route) -> JSONValue? {
        route.body.map { value(of: $0, named: route.name) }
    }

    /// What a route may answer; `nil` when that has no content, or none that people read.
    func success(_ route: Route) -> JSONValue? {
        guard let schema = route.success.schema else { return nil }
        switch route.success.type {
        case "application/json": return value(of: schema, named: route.name)
        case "text/event-stream": return .string("retry: 1000\n\nid: 1042\nevent: event\ndata: \(line("Event"))\n\n")
        case EventExport.mediaType: return .string(line("Event") + "\n")
        case "text/html": return "<!doctype html>"
        case "text/plain", API.plain: return Self.plainText[route.name].map { .string($0) }
        default: return nil
        }
    }

    private func line(_ shape: String) -> String {
        let bytes = (try? JSON.encode(value(of: .named(shape), named: ""))) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let plainText = [
        "metrics": "# TYPE signalbox_log_position gauge\nsignalbox_log_position 1042\n",
        "showCheckpoint": "signalbox.example.com/log\n1042\nSdH0ilZAJ5zPRpc7zYSFmv7Gy7jyrZ2bqvKnRJxmMiM=\n\n"
            + "\u{2014} signalbox.example.com/log GisrTQECAw==\n",
        "showVerifierKey": "signalbox.example.com/log+1a2b3c4d+AQID\n",
        "proveEvent": "c2sp.org/tlog-proof@v1\nindex 1041\n\nsignalbox.example.com/log\n1042\n",
    ]

    private func fits(_ value: JSONValue, _ schema: Schema) -> Bool {
        switch schema {
        case .object, .named: false
        case .array(let element): value.array?.allSatisfy { fits($0, element) } ?? false
        case .nullable(let inner): value == .null || fits(value, inner)
        case .anything: value.object != nil
        case .string, .oneOf, .integer, .boolean, .number, .json: schema.faults(in: value).isEmpty
        }
    }

    private static func lowered(_ name: String) -> String { name.prefix(1).lowercased() + name.dropFirst() }

    /// Members that exclude others, or mean something else than the usual.
    private static let omitted: Set<String> = ["newRebuild.asOf", "newRebuild.toPosition"]

    /// What stands where, by the member alone or with what it is of; the first that fits.
    static let samples: [String: [JSONValue]] = {
        guard let members = try? JSONText.parse(Array(text.utf8)).object else { return [:] }
        return members.compactMapValues(\.array)
    }()

    private static let text = #"""
        {
        "id": ["274877906944001", "0190f2d4-3a8e-7cc1-8f00-0123456789ab"],
        "organizationId": ["274877906944001"], "organization": ["274877906944001"],
        "instanceId": ["274877906944003"], "instance": ["274877906944003", "instance-274877906944003"],
        "subscription": ["274877906944002"], "user": ["274877906944005"], "userId": ["274877906944005"],
        "key": ["274877906944006", "sbx_274877906944006_c2VjcmV0", "2f7d1c"], "rollout": ["274877906944007"],
        "subscription.id": ["274877906944002"], "instance.id": ["274877906944003"], "key.id": ["274877906944006"],
        "newKey.id": ["274877906944006"], "rollout.id": ["274877906944007"], "price.id": ["team-monthly"],
        "token": ["sbi_274877906944001_c2VjcmV0"], "next": [null, "eyJhZnRlciI6MTA0Mn0"],
        "resume": ["1042.3b1f0a7c9d2e4f5061728394a5b6c7d8"], "resource": ["organization-274877906944001"],
        "name": ["acme", "Acme"], "organization.name": ["Acme"], "newOrganization.name": ["Acme"],
        "organizationName.name": ["Acme"], "slug": ["acme"], "email": ["ana@example.com"],
        "firstName": ["Ana"], "lastName": ["Lee"], "projection.name": ["instances"], "rebuild.name": ["instances"],
        "priceId": ["team-monthly"], "currency": ["USD"], "amount": [9900],
        "interval": ["month"], "tier": ["TEAM"], "cpu": [500], "memory": [512], "priority": [50],
        "kind": ["user", "database", "provision-instance"], "instance.kind": ["railzway"],
        "subject": ["instance-274877906944003"], "stream": ["organization-274877906944001"],
        "sagaSummary.stream": ["provision-instance-0190f2d4-3a8e-7cc1-8f00-0123456789ab"],
        "lane": ["instance-274877906944003"], "type": ["organization.renamed"],
        "actor": ["user-274877906944005"], "principal": ["user-274877906944005"], "action": ["attempt", "renameOrganization"],
        "problem": ["forbidden"], "requestId": ["0190f2d4-3a8e-7cc1-8f00-0123456789ab"], "position": [1042],
        "status": ["running", "completed", "present", "active", "alive", "ready", "healthy", "stable"],
        "operationReference.status": ["queued"], "step.status": ["succeeded"],
        "version": ["v1.2.0", 3, "3"], "why.version": ["3"], "desiredRelease": ["v1.2.0"],
        "release": ["v1.2.0", {"version": "v1.2.0"}], "application": ["railzway"],
        "image": ["ghcr.io/example/app:v1.2.0"],
        "digest": ["sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        "sha256": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        "computeEngine": ["hetzner"], "launchUrl": ["https://railzway.acme.example.com"],
        "role": ["developer", "auditor", "tenant_274877906944003"], "scopes": [["read"]],
        "reason": ["taken", "Asked for by the customer."], "why": ["The step is tried again."],
        "path": ["/name"], "backup.path": ["backups/274877906944003.dump"], "notes": ["Faster exports."],
        "percent": [100], "waves": [["1", "10%", "100%"]], "bakeSeconds": [600], "minimumTier": ["STARTER"],
        "evidence": [{"ticket": "42"}], "output": [{"database": "tenant_274877906944003"}], "step": ["create-database"],
        "step.id": ["create-database"], "target": ["nomad"], "wave.target": ["10%"],
        "entitlements": [{"billing.customers.max": "10"}], "quotas": [{"QUOTA_ORG_CUSTOMER": "10"}],
        "update": [{"canary": 0, "autoRevert": false}], "data": [{"name": "Acme"}],
        "metadata": [{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}],
        "state": ["present", {"name": "Acme"}], "owner": ["signalbox-1"],
        "condition": [{"type": "Healthy", "status": "true", "since": "2026-01-31T10:00:00.000000Z", "message": "version 1"},
            "Healthy"],
        "slot": [{"name": "blue", "status": "serving", "release": "v1.2.0", "weight": 100}],
        "positions": [[1042]], "vkey": ["signalbox.example.com/log+1a2b3c4d+AQID"],
        "checksum": ["9f86d081884c7d65"], "liveChecksum": ["9f86d081884c7d65"], "lagSeconds": [0.2],
        "error": [{"code": "permanent", "message": "no room"}, "no room"], "lastError": ["no room", {"step": "register-job"}],
        "failure": ["no room"], "failed": [["274877906944003"]],
        "url": ["https://hooks.example.com/signalbox"], "secret": ["whsec_c2VjcmV0"], "disabledBecause": ["asked for"],
        "answered": [200], "code": ["permanent", "team-monthly"], "price.code": ["team-monthly"],
        "priceSnapshot.code": ["team-monthly"], "message": ["no room"], "outcome": ["succeeded"]
        }
        """#
}
