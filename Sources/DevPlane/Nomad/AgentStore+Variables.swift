internal import Kernel

extension AgentStore {
    /// `GET|PUT|DELETE /v1/var/:path`.
    func variable(_ path: String, _ call: Call) throws -> Answer {
        let existing = state.variables[path]
        switch call.method {
        case "GET":
            guard let existing else { return .text("variable not found", status: 404, headers: index(.variables)) }
            return .json(existing.json, headers: index(existing.modifyIndex))
        case "PUT", "POST":
            if let conflict = try conflict(existing, path, call) { return conflict }
            let items = try items(call, path)
            let variable = VariableRecord(
                path: path,
                items: items,
                createIndex: existing?.createIndex ?? 0,
                createTime: existing?.createTime ?? now,
                modifyTime: now
            )
            let index = try commit("VariableUpdated", [.variable(variable)])
            return .json(state.variables[path]?.json ?? nil, headers: self.index(index))
        case "DELETE":
            if let conflict = try conflict(existing, path, call) { return conflict }
            if existing != nil { try commit("VariableDeleted", [.variableGone(path)]) }
            return .empty(204, headers: index(state.index))
        default:
            return .text("Invalid method", status: 400)
        }
    }

    /// What is there instead of what `cas` expects; its content type is not JSON, because Nomad sets it too late.
    private func conflict(_ existing: VariableRecord?, _ path: String, _ call: Call) throws -> Answer? {
        guard let text = call.parameter("cas") else { return nil }
        guard let expected = Int64(text) else {
            throw Refusal("can not parse cas: strconv.ParseUint: parsing \"\(text)\": invalid syntax", status: 400)
        }
        let actual = existing?.modifyIndex ?? 0
        guard actual != expected else { return nil }
        let missing = VariableRecord(path: path, items: [:], createTime: 0, modifyTime: 0)
        let current = existing?.json ?? missing.json.replacing(["Items": nil])
        return .json(
            current,
            status: 409,
            headers: ["Content-Type": "text/plain; charset=utf-8", "X-Nomad-Index": String(actual)]
        )
    }

    private func items(_ call: Call, _ path: String) throws -> [String: String] {
        guard !call.body.isEmpty else { throw Refusal("Request body is empty", status: 400) }
        guard let body = call.json, let given = body["Items"]?.object else {
            throw Refusal("variable missing required Items object", status: 400)
        }
        var items: [String: String] = [:]
        for (name, value) in given {
            guard let text = value.string else {
                throw Refusal(
                    "json: cannot unmarshal into Go struct field VariableDecrypted.Items of type string",
                    status: 400
                )
            }
            items[name] = text
        }
        func refuse(_ reason: String) -> Refusal { Refusal("RPC Error:: 400,\(reason)", status: 400) }
        if items.isEmpty { throw refuse("empty variables are invalid") }
        if items.reduce(0, { $0 + $1.key.utf8.count + $1.value.utf8.count }) > 65536 {
            throw refuse("variables are limited to 64KiB in total size")
        }
        let isPlain = path.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_~/".unicodeScalars.contains($0))
        }
        guard isPlain, (1...128).contains(path.utf8.count) else { throw refuse("invalid path \"\(path)\"") }
        let parts = path.split(separator: "/")
        if parts.first == "nomad" {
            let isAllowed =
                parts.count > 1
                && (parts[1] == "jobs" || (parts[1] == "job-templates" && parts.count == 3) || parts[1] == "sentinel")
            guard isAllowed else {
                throw refuse(
                    "only paths at \"nomad/jobs\", \"nomad/job-templates\" or \"nomad/sentinel\" are valid paths under the top-level \"nomad\" directory"
                )
            }
        }
        if let namespace = body["Namespace"]?.string ?? call.parameter("namespace"),
            !["", "default"].contains(namespace)
        {
            throw refuse("variable \"\(path)\" is in nonexistent namespace \"\(namespace)\"")
        }
        return items
    }
}
