internal import Kernel

/// A job as Nomad has it, as far as we look at it.
package struct NomadJob: Sendable, Equatable {
    package let version: Int
    /// The index that `EnforceIndex` compares with; changes with the specification only.
    package let modifyIndex: Int64
    package let stopped: Bool
    package let meta: [String: String]

    init?(_ json: JSONValue) {
        guard let version = json["Version"]?.integer, let index = json["JobModifyIndex"]?.integer else { return nil }
        self.version = Int(version)
        self.modifyIndex = index
        self.stopped = json["Stop"]?.bool ?? false
        self.meta = (json["Meta"]?.object ?? [:]).compactMapValues(\.string)
    }
}

/// What a registration would change; nothing was stored.
package struct NomadPlan: Sendable, Equatable {
    /// The job's JobModifyIndex, 0 when there is none.
    package let modifyIndex: Int64
    /// Whether the job as it is there says the same already.
    package let unchanged: Bool
    /// Why groups could not be placed, for people; empty when they could.
    package let failedPlacements: [String]

    init?(_ json: JSONValue) {
        guard let index = json["JobModifyIndex"]?.integer, let diff = json["Diff"]?["Type"]?.string else { return nil }
        self.modifyIndex = index
        self.unchanged = diff == "None"
        self.failedPlacements = PlacementFailure.texts(json["FailedTGAllocs"])
    }
}

/// One roll-out of one version of a job.
package struct NomadDeployment: Sendable, Equatable {
    package let id: String
    package let jobVersion: Int
    /// What Nomad calls it: `running`, `successful`, `failed`, `cancelled` and others.
    package let status: String
    /// For people.
    package let statusDescription: String
    package let healthy: Int
    package let desired: Int
    package let needsPromotion: Bool

    init?(_ json: JSONValue) {
        guard let id = json["ID"]?.string, let version = json["JobVersion"]?.integer,
            let status = json["Status"]?.string
        else { return nil }
        self.id = id
        self.jobVersion = Int(version)
        self.status = status
        self.statusDescription = json["StatusDescription"]?.string ?? ""
        let groups = (json["TaskGroups"]?.object ?? [:]).values
        self.healthy = groups.reduce(0) { $0 + Int($1["HealthyAllocs"]?.integer ?? 0) }
        self.desired = groups.reduce(0) { $0 + Int($1["DesiredTotal"]?.integer ?? 0) }
        self.needsPromotion = groups.contains {
            ($0["DesiredCanaries"]?.integer ?? 0) > 0 && $0["Promoted"]?.bool == false
        }
    }
}

/// One pass of Nomad's scheduler over a job.
package struct NomadEvaluation: Sendable, Equatable {
    package let id: String
    /// One of `pending`, `blocked`, `complete`, `failed`, `canceled`.
    package let status: String
    package let createIndex: Int64
    /// Why groups could not be placed, for people.
    package let failedPlacements: [String]

    init?(_ json: JSONValue) {
        guard let id = json["ID"]?.string, let status = json["Status"]?.string else { return nil }
        self.id = id
        self.status = status
        self.createIndex = json["CreateIndex"]?.integer ?? 0
        self.failedPlacements = PlacementFailure.texts(json["FailedTGAllocs"])
    }
}

/// One placed group of a job.
package struct NomadAllocation: Sendable, Equatable {
    package let id: String
    package let jobVersion: Int
    /// One of `pending`, `running`, `complete`, `failed`, `lost`, `unknown`.
    package let clientStatus: String
    /// Whether it is meant to run.
    package let wanted: Bool
    /// When each of its tasks that runs was started, as its node's clock had it.
    package let started: [String: String]
    /// Whether it has tasks, and all of them run.
    package let running: Bool
    package let modifyIndex: Int64
    /// Whether one of its tasks has given up.
    package let hasFailed: Bool
    /// The last thing that happened to a task, for people.
    package let lastEvent: String
    /// Whether its tasks have ended; those of a node that is not heard of any more count as lost.
    package var isOver: Bool { ["complete", "failed", "lost"].contains(clientStatus) }

    init?(_ json: JSONValue) {
        guard let id = json["ID"]?.string, let status = json["ClientStatus"]?.string else { return nil }
        self.id = id
        self.jobVersion = Int(json["JobVersion"]?.integer ?? 0)
        self.clientStatus = status
        self.wanted = json["DesiredStatus"]?.string == "run"
        let tasks = json["TaskStates"]?.object ?? [:]
        let running = tasks.filter { $0.value["State"]?.string == "running" }
        self.started = running.compactMapValues { $0["StartedAt"]?.string }
        self.hasFailed = tasks.values.contains { $0["Failed"]?.bool == true }
        self.running = status == "running" && !tasks.isEmpty && running.count == tasks.count
        self.modifyIndex = json["ModifyIndex"]?.integer ?? 0
        let events = tasks.values.flatMap { $0["Events"]?.array ?? [] }
        let last = events.max { ($0["Time"]?.integer ?? 0) < ($1["Time"]?.integer ?? 0) }
        self.lastEvent = last?["DisplayMessage"]?.string ?? last?["Type"]?.string ?? ""
    }
}

/// What one check of a running group last said.
package struct NomadCheck: Sendable, Equatable {
    /// One of `pending`, `success`, `failure`.
    package let status: String
    /// Seconds since 1970 by the clock of the node.
    package let timestamp: Int64

    init?(_ json: JSONValue) {
        guard let status = json["Status"]?.string else { return nil }
        self.status = status
        self.timestamp = json["Timestamp"]?.integer ?? 0
    }
}

/// A Nomad Variable: the one place of a tenant's secrets outside of its own process.
package struct NomadVariable: Sendable, Equatable {
    package let items: [String: String]
    package let modifyIndex: Int64

    /// The path that a job's own tasks may read, and no other job's.
    package static func path(job: String) -> String { "nomad/jobs/" + job }

    init?(_ json: JSONValue) {
        guard let index = json["ModifyIndex"]?.integer else { return nil }
        self.items = (json["Items"]?.object ?? [:]).compactMapValues(\.string)
        self.modifyIndex = index
    }
}

/// `FailedTGAllocs` in words.
private enum PlacementFailure {
    static func texts(_ groups: JSONValue?) -> [String] {
        (groups?.object ?? [:]).sorted { $0.key < $1.key }.map { _, metric in text(metric) }
    }

    private static func text(_ metric: JSONValue) -> String {
        let filtered = (metric["ConstraintFiltered"]?.object ?? [:]).keys.sorted().map { "no node has \($0)" }
        let exhausted = (metric["DimensionExhausted"]?.object ?? [:]).keys.sorted().map { "not enough \($0)" }
        let reasons = filtered + exhausted
        return reasons.isEmpty ? "no node is free" : reasons.joined(separator: ", ")
    }
}
