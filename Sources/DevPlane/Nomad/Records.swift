internal import Kernel

/// A registered job with the versions that are kept of it, newest first; never empty.
struct JobRecord: Codable, Sendable, Equatable {
    var id: String
    /// `pending`, `running` or `dead`.
    var status = "pending"
    var versions: [JobVersion]
    var createIndex: Int64 = 0
    var modifyIndex: Int64 = 0
    var jobModifyIndex: Int64 = 0

    var current: JobVersion { versions[0] }
}

/// One version of a job's specification.
struct JobVersion: Codable, Sendable, Equatable {
    var number: Int
    /// Under which the specification itself is kept.
    var spec: String
    var isStable = false
    /// Nanoseconds since 1970.
    var submitTime: Int64
    var modifyIndex: Int64 = 0
    var jobModifyIndex: Int64 = 0
}

/// A wish that the scheduler look at a job, and what came of it.
struct EvaluationRecord: Codable, Sendable, Equatable {
    var id: String
    var job: String
    var priority: Int64
    var type: String
    var trigger: String
    var status = "pending"
    var statusDescription = ""
    var deployment = ""
    var previous = ""
    var next = ""
    var blocked = ""
    /// Nanoseconds since 1970; 0 for at once.
    var waitUntil: Int64 = 0
    var jobModifyIndex: Int64
    var failed: [String: PlacementFailure] = [:]
    var queued: [String: Int] = [:]
    var createIndex: Int64 = 0
    var modifyIndex: Int64 = 0
    var createTime: Int64
    var modifyTime: Int64
}

/// Why a group found no place.
struct PlacementFailure: Codable, Sendable, Equatable {
    var isFiltered: Bool
    var constraintFiltered: [String: Int] = [:]
    var dimensionExhausted: [String: Int] = [:]
    var coalesced = 0
}

/// One placed group.
struct AllocationRecord: Codable, Sendable, Equatable {
    var id: String
    var evaluation: String
    var job: String
    var jobVersion: Int
    var jobCreateIndex: Int64
    var spec: String
    var group: String
    var number: Int
    var desired = "run"
    var desiredDescription = ""
    var client = "pending"
    var clientDescription = ""
    var deployment = ""
    var isCanary = false
    var isHealthy: Bool?
    /// Nanoseconds since 1970.
    var healthTime: Int64 = 0
    /// By label.
    var ports: [String: Int]
    var tasks: [String: TaskRecord] = [:]
    var previous = ""
    var next = ""
    var followUp = ""
    var reschedules = 0
    var createIndex: Int64 = 0
    var modifyIndex: Int64 = 0
    var createTime: Int64
    var modifyTime: Int64

    /// Whether its tasks are over for good.
    var isOver: Bool { ["complete", "failed", "lost"].contains(client) }
    /// Whether it counts towards what its group should have.
    var isWanted: Bool { desired == "run" && !isOver }
}

/// What one task of an allocation is doing.
struct TaskRecord: Codable, Sendable, Equatable {
    /// `pending`, `running` or `dead`.
    var state = "pending"
    var hasFailed = false
    var restarts = 0
    var lastRestart: Timestamp?
    var started: Timestamp?
    var finished: Timestamp?
    var events: [TaskEvent] = []
}

/// One thing that happened to a task; Nomad keeps the last ten.
struct TaskEvent: Codable, Sendable, Equatable {
    var type: String
    var message: String
    /// Nanoseconds since 1970.
    var time: Int64
    var exitCode: Int32 = 0
    var signal: Int32 = 0
    var failsTask = false
}

/// The way of one version of a job into service.
struct DeploymentRecord: Codable, Sendable, Equatable {
    /// How one group is doing in it.
    struct Group: Codable, Sendable, Equatable {
        var canaries: [String] = []
        var revertsItself: Bool
        var promotesItself: Bool
        /// Nanoseconds.
        var progressDeadline: Int64
        /// Nanoseconds since 1970.
        var requireProgressBy: Int64
        var isPromoted = false
        var desiredCanaries: Int
        var desired: Int
        var placed = 0
        var healthy = 0
        var unhealthy = 0
    }

    var id: String
    var job: String
    var jobVersion: Int
    var jobModifyIndex: Int64
    var jobSpecModifyIndex: Int64
    var jobCreateIndex: Int64
    var groups: [String: Group]
    var status = "running"
    var statusDescription = "Deployment is running"
    var priority: Int64
    var createIndex: Int64 = 0
    var modifyIndex: Int64 = 0
    var createTime: Int64
    var modifyTime: Int64

    var isActive: Bool { ["running", "paused", "pending", "initializing", "blocked", "unblocking"].contains(status) }
    var needsPromotion: Bool { groups.values.contains { $0.desiredCanaries > 0 && !$0.isPromoted } }
}

/// A Nomad Variable, what it holds being secret.
struct VariableRecord: Codable, Sendable, Equatable {
    var path: String
    var items: [String: String]
    var createIndex: Int64 = 0
    var modifyIndex: Int64 = 0
    /// Nanoseconds since 1970.
    var createTime: Int64
    var modifyTime: Int64
}

/// A service of a running allocation.
struct ServiceRecord: Codable, Sendable, Equatable {
    var id: String
    var name: String
    var job: String
    var allocation: String
    var tags: [String]
    var port: Int
    var createIndex: Int64 = 0
    var modifyIndex: Int64 = 0
}
