package import Kernel
package import Platform

/// The part of Nomad's HTTP API that is used here, one function for each call.
///
/// Writes are compare-and-set wherever Nomad can do it. Errors are sorted by what was answered (`NomadRefusal`).
package struct NomadClient: Sendable {
    private let caller: HTTPCaller
    private let namespace: String

    /// A way to one agent.
    ///
    /// - Parameters:
    ///   - caller: Its base is the agent, e.g. `http://127.0.0.1:4646`; it carries the token, see
    ///     ``NomadClient/headers(token:)``.
    ///   - namespace: Of every job and variable.
    package init(caller: HTTPCaller, namespace: String = "default") {
        self.caller = caller
        self.namespace = namespace
    }

    /// What goes with every request when ACLs are on.
    package static func headers(token: Secret?) -> [(String, String)] {
        token.map { [("X-Nomad-Token", $0.revealed)] } ?? []
    }

    /// The job, or `nil`.
    package func job(_ id: String) async throws(PortError) -> NomadJob? {
        guard let json = try await read("/v1/job/" + HTTPCaller.segment(id))?.value else { return nil }
        return try expected(NomadJob(json))
    }

    /// Every job whose id begins so, in short, with what is written on it: one answer, never a part of one.
    package func stubs(prefix: String) async throws(PortError) -> [JSONValue] {
        let query = [("prefix", prefix), ("meta", "true")]
        let answer = try await call(.get, "/v1/jobs", query: query, changes: false)
        return try expected(answer.json?.array)
    }

    /// Registers a job if its JobModifyIndex is still `index`; 0: if it does not exist.
    ///
    /// What Nomad answers is not used: for an unchanged job its JobModifyIndex is another number (the ModifyIndex).
    package func register(_ job: JSONValue, ifIndexIs index: Int64) async throws(PortError) {
        try await write(.put, "/v1/jobs", ["Job": job, "EnforceIndex": true, "JobModifyIndex": .integer(index)])
    }

    /// What registering this job would change.
    package func plan(_ job: JSONValue, id: String) async throws(PortError) -> NomadPlan {
        let path = "/v1/job/\(HTTPCaller.segment(id))/plan"
        let answer = try await call(.put, path, body: ["Job": job, "Diff": true], changes: false)
        return try expected(answer.json.flatMap(NomadPlan.init))
    }

    /// Stops a job, whatever it says by now; fine when there is none.
    package func deregister(_ id: String, purge: Bool) async throws(PortError) {
        _ = try await call(
            .delete,
            "/v1/job/" + HTTPCaller.segment(id),
            query: [("purge", purge ? "true" : "false")],
            changes: true
        )
    }

    /// The job's deployments; with an index, waits until any deployment changed after it.
    ///
    /// - Parameters:
    ///   - job: Its id.
    ///   - index: From an earlier answer; 0 answers at once.
    ///   - wait: How long to wait for a change, at most 300 s.
    /// - Returns: The deployments and the index to wait after.
    /// - Throws: ``PortError``.
    package func deployments(
        of job: String,
        after index: Int64 = 0,
        wait: Duration = .zero
    ) async throws(PortError) -> (deployments: [NomadDeployment], index: Int64) {
        let path = "/v1/job/\(HTTPCaller.segment(job))/deployments"
        let page = try await read(path, after: index, wait: wait)
        return ((page?.value.array ?? []).compactMap(NomadDeployment.init), page?.index ?? 0)
    }

    /// The job's evaluations, in no order.
    package func evaluations(of job: String) async throws(PortError) -> [NomadEvaluation] {
        let page = try await read("/v1/job/\(HTTPCaller.segment(job))/evaluations")
        return (page?.value.array ?? []).compactMap(NomadEvaluation.init)
    }

    /// The allocations of the job; a job that does not exist has none.
    package func allocations(of job: String) async throws(PortError) -> [NomadAllocation] {
        let page = try await read("/v1/job/\(HTTPCaller.segment(job))/allocations")
        return (page?.value.array ?? []).compactMap(NomadAllocation.init)
    }

    /// Host and port of a running allocation, by the label of the port; `nil` when it has none.
    package func address(ofAllocation id: String, port label: String) async throws(PortError) -> String? {
        let found = try await read("/v1/allocation/\(HTTPCaller.segment(id))")?.value
        let ports = found?["AllocatedResources"]?["Shared"]?["Ports"]?.array ?? []
        guard let port = ports.first(where: { $0["Label"]?.string == label }), let number = port["Value"]?.integer,
            let host = port["HostIP"]?.string, !host.isEmpty
        else { return nil }
        return host.contains(":") ? "[\(host)]:\(number)" : "\(host):\(number)"
    }

    /// What the checks of an allocation last said; only checks that Nomad itself makes are known to it.
    package func checks(of allocation: String) async throws(PortError) -> [NomadCheck] {
        let page = try await read("/v1/client/allocation/\(HTTPCaller.segment(allocation))/checks")
        return (page?.value.object ?? [:]).values.compactMap(NomadCheck.init)
    }

    /// Starts every task of an allocation that runs anew, in place.
    package func restart(allocation id: String) async throws(PortError) {
        try await write(
            .put,
            "/v1/client/allocation/\(HTTPCaller.segment(id))/restart",
            ["TaskName": "", "AllTasks": false]
        )
    }

    /// Lets the canaries of a deployment take over; `nomad.not-yet` while they are not healthy.
    package func promote(deployment id: String) async throws(PortError) {
        try await write(
            .put,
            "/v1/deployment/promote/" + HTTPCaller.segment(id),
            ["DeploymentID": .string(id), "All": true]
        )
    }

    /// A variable with its items, or `nil`.
    package func variable(_ path: String) async throws(PortError) -> NomadVariable? {
        guard let json = try await read(variablePath(path), quotable: false)?.value else { return nil }
        return try expected(NomadVariable(json))
    }

    /// Writes a variable if its ModifyIndex is still `index`; 0: if it does not exist.
    package func put(_ items: [String: String], at path: String, ifIndexIs index: Int64) async throws(PortError) {
        let body: JSONValue = [
            "Path": .string(path),
            "Namespace": .string(namespace),
            "Items": .object(items.mapValues { .string($0) }),
        ]
        _ = try await call(
            .put,
            variablePath(path),
            query: [("cas", String(index))],
            body: body,
            changes: true,
            quotable: false
        )
    }

    /// Deletes a variable if its ModifyIndex is still `index`.
    package func deleteVariable(_ path: String, ifIndexIs index: Int64) async throws(PortError) {
        _ = try await call(.delete, variablePath(path), query: [("cas", String(index))], changes: true, quotable: false)
    }

    private func variablePath(_ path: String) -> String {
        "/v1/var/" + path.split(separator: "/").map { HTTPCaller.segment(String($0)) }.joined(separator: "/")
    }
}

extension NomadClient {
    /// A read that may find nothing; with an index it blocks.
    private func read(
        _ path: String,
        after index: Int64 = 0,
        wait: Duration = .zero,
        quotable: Bool = true
    ) async throws(PortError) -> (value: JSONValue, index: Int64)? {
        var query: [(String, String)] = []
        var timeout: Duration?
        if index > 0, wait > .zero {
            // Nomad adds up to a sixteenth to the wait; the rest is for the way.
            query = [("index", String(index)), ("wait", "\(max(1, wait.nanoseconds / 1_000_000))ms")]
            timeout = wait + wait / 16 + .seconds(10)
        }
        do throws(PortError) {
            let answer = try await call(.get, path, query: query, changes: false, quotable: quotable, timeout: timeout)
            let value = try expected(answer.json)
            return (value, answer[header: "x-nomad-index"].flatMap { Int64($0) } ?? 0)
        } catch .conflict(code: "nomad.not-found", _) {
            return nil
        }
    }

    private func write(_ verb: HTTPVerb, _ path: String, _ body: JSONValue) async throws(PortError) {
        _ = try await call(verb, path, body: body, changes: true)
    }

    private func call(
        _ verb: HTTPVerb,
        _ path: String,
        query: [(String, String)] = [],
        body: JSONValue? = nil,
        changes: Bool,
        quotable: Bool = true,
        timeout: Duration? = nil
    ) async throws(PortError) -> HTTPAnswer {
        let answer: HTTPAnswer
        do throws(HTTPFailure) {
            answer = try await caller.send(
                verb,
                path,
                query: [("namespace", namespace)] + query,
                headers: body == nil ? [] : [("Content-Type", "application/json")],
                body: body.flatMap { try? JSON.encode($0) },  // a JSON value is always JSON
                timeout: timeout
            )
        } catch {
            throw error.portError("nomad", changes: changes)
        }
        guard (200..<300).contains(answer.status) else {
            throw NomadRefusal.portError(answer, changes: changes, quotable: quotable)
        }
        return answer
    }

    /// A 200 that is not what the API promises comes from a proxy, or from a version we do not know.
    private func expected<Value>(_ value: Value?) throws(PortError) -> Value {
        guard let value else { throw .transient(code: "nomad.garbled", message: "nomad: the answer is unreadable") }
        return value
    }
}
