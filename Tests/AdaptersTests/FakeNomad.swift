import Kernel

/// As much of Nomad as a scheduler needs, with its ways: conflicts are 500 and text, an unchanged job answers with
/// another index, a variable's conflict shows the variable.
actor FakeNomad {
    private(set) var jobs: [String: JSONValue] = [:]
    private(set) var variables: [String: JSONValue] = [:]
    private var deployments: [JSONValue] = []
    private var evaluations: [JSONValue] = []
    private var allocations: [JSONValue] = []
    private(set) var asked: [String] = []
    private var index: Int64 = 10
    /// An old agent, which takes no notice of `Stop` in a registration.
    private var honoursStop = true
    /// What the next write is answered with, after it was done.
    private var lie: Answer?
    private var meanwhile: JSONValue?

    func ignoreStop() { honoursStop = false }
    func answerNextWrite(with answer: Answer) { lie = answer }
    /// Somebody registers this just before the next registration arrives.
    func overtake(with job: JSONValue) { meanwhile = job }
    func deploy(_ deployment: JSONValue) { deployments = [deployment]; index += 1 }
    func evaluate(_ evaluation: JSONValue) { evaluations = [evaluation]; index += 1 }
    func allocate(_ allocation: JSONValue) { allocations = [allocation] }
    func forget() { asked = [] }
    func put(variable: JSONValue, at path: String) { variables[path] = stamped(variable) }
    var writes: [String] { asked.filter { !$0.hasPrefix("GET") && !$0.contains("/plan") } }

    func answer(_ asked: Asked) async throws -> Answer {
        let parts = asked.path.split(separator: "?")
        let path = String(parts[0])
        let query = parts.count > 1 ? String(parts[1]) : ""
        self.asked.append("\(asked.method) \(path)")
        let answer = try await handle(asked, path, query)
        if let lie, asked.method != "GET", !path.hasSuffix("/plan") {
            self.lie = nil
            return lie
        }
        return answer
    }

    private func handle(_ asked: Asked, _ path: String, _ query: String) async throws -> Answer {
        if path == "/v1/jobs" { return register(asked.json ?? nil) }
        if path.hasPrefix("/v1/var/") {
            return variable(asked, String(path.dropFirst("/v1/var/".count)), query)
        }
        let words = path.split(separator: "/").map(String.init)
        guard words.count >= 3, words[1] == "job" else { return .text(404, "") }
        switch words.dropFirst(3).first {
        case nil where asked.method == "DELETE":
            if query.contains("purge=true") { jobs[words[2]] = nil }
            if let job = jobs[words[2]] { jobs[words[2]] = merged(job, ["Stop": true]) }
            return .json([:])
        case nil: return jobs[words[2]].map { .json($0) } ?? .text(404, "job not found")
        case "plan": return plan(asked.json?["Job"] ?? nil, words[2])
        case "evaluations": return .json(.array(evaluations))
        case "allocations": return .json(.array(allocations))
        case "deployments": return try await waited(query)
        default: return .text(404, "")
        }
    }

    private func waited(_ query: String) async throws -> Answer {
        let after = query.split(separator: "&").first { $0.hasPrefix("index=") }.flatMap { Int64($0.dropFirst(6)) } ?? 0
        let end = ContinuousClock.now + .seconds(5)
        while index <= after, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(5)) }
        return .json(.array(deployments), headers: ["X-Nomad-Index": String(index)])
    }

    private func register(_ request: JSONValue) -> Answer {
        guard let job = request["Job"], let id = job["ID"]?.string else { return .text(400, "Job must be specified") }
        if let other = meanwhile {
            meanwhile = nil
            jobs[id] = merged(stamped(other), ["Version": 0, "JobModifyIndex": .integer(index)])
        }
        let expected = request["JobModifyIndex"]?.integer ?? 0
        let actual = jobs[id]?["JobModifyIndex"]?.integer ?? 0
        if expected != actual {
            return .text(
                500,
                "Enforcing job modify index \(expected): job exists with conflicting job modify index: \(actual)"
            )
        }
        index += 1
        let version = (jobs[id]?["Version"]?.integer ?? -1) + 1
        let stop = honoursStop && job["Stop"] == true
        jobs[id] = merged(job, ["Version": .integer(version), "JobModifyIndex": .integer(index), "Stop": .bool(stop)])
        return .json(["EvalID": "e", "JobModifyIndex": .integer(index + 1000)])
    }

    private func plan(_ job: JSONValue, _ id: String) -> Answer {
        guard let current = jobs[id], case .object(let fields) = current else {
            return .json(["JobModifyIndex": 0, "Diff": ["Type": "Added"]])
        }
        let said = JSONValue.object(fields.filter { !["Version", "JobModifyIndex", "Stop"].contains($0.key) })
        let same = said == job && fields["Stop"] != true
        return .json(["JobModifyIndex": fields["JobModifyIndex"] ?? 0, "Diff": ["Type": same ? "None" : "Edited"]])
    }

    private func variable(_ asked: Asked, _ path: String, _ query: String) -> Answer {
        let current = variables[path]
        if asked.method == "GET" { return current.map { .json($0) } ?? .text(404, "variable not found") }
        let cas = query.split(separator: "&").first { $0.hasPrefix("cas=") }.flatMap { Int64($0.dropFirst(4)) }
        if let cas, cas != current?["ModifyIndex"]?.integer ?? 0 {
            return .json(current ?? ["ModifyIndex": 0], status: 409)
        }
        variables[path] = asked.method == "DELETE" ? nil : asked.json.map(stamped)
        return asked.method == "DELETE" ? Answer(status: 204) : .json(variables[path] ?? nil)
    }

    private func stamped(_ value: JSONValue) -> JSONValue {
        index += 1
        return merged(value, ["ModifyIndex": .integer(index)])
    }

    private func merged(_ value: JSONValue, _ more: [String: JSONValue]) -> JSONValue {
        .object((value.object ?? [:]).merging(more) { _, new in new })
    }
}
