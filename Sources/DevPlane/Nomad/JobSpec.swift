internal import Kernel

/// A job as it was submitted and completed with defaults, seen as what the scheduler needs of it.
///
/// Field names and units (nanoseconds, MHz, MB) are Nomad's own; see its "JSON job specification".
struct JobSpec: Sendable, Equatable {
    let json: JSONValue

    var id: String { json["ID"]?.string ?? "" }
    var type: String { json["Type"]?.string ?? "" }
    var priority: Int64 { json["Priority"]?.integer ?? 50 }
    var isStopped: Bool { json["Stop"]?.bool ?? false }
    var datacenters: [String] { json.strings("Datacenters") }
    var meta: [String: String] { json.map("Meta") }
    var constraints: [ConstraintSpec] { json.list("Constraints").map(ConstraintSpec.init) }
    var groups: [GroupSpec] { json.list("TaskGroups").map(GroupSpec.init) }

    func group(_ name: String) -> GroupSpec? {
        groups.first { $0.name == name }
    }
}

/// A task group.
struct GroupSpec: Sendable, Equatable {
    let json: JSONValue

    var name: String { json["Name"]?.string ?? "" }
    var count: Int { Int(json["Count"]?.integer ?? 1) }
    var meta: [String: String] { json.map("Meta") }
    var constraints: [ConstraintSpec] { json.list("Constraints").map(ConstraintSpec.init) }
    var tasks: [TaskSpec] { json.list("Tasks").map(TaskSpec.init) }
    var services: [ServiceSpec] {
        (json.list("Services") + json.list("Tasks").flatMap { $0.list("Services") }).map(ServiceSpec.init)
    }
    var shutdownDelay: Duration { json.duration("ShutdownDelay") }
    var update: UpdateSpec? { json["Update"].map(UpdateSpec.init) }
    var restart: RestartSpec { RestartSpec(json: json["RestartPolicy"] ?? [:]) }
    var rescheduleDelay: Duration { json["ReschedulePolicy"]?.duration("Delay") ?? .seconds(30) }
    var rescheduleMaximum: Duration { json["ReschedulePolicy"]?.duration("MaxDelay") ?? .seconds(3600) }
    var isRescheduled: Bool {
        guard let policy = json["ReschedulePolicy"] else { return true }
        return policy["Unlimited"]?.bool == true || (policy["Attempts"]?.integer ?? 0) > 0
    }

    /// The labels of all its ports, with what they are inside the group's own network.
    var ports: [(label: String, inside: Int)] {
        json.list("Networks").flatMap { $0.list("DynamicPorts") + $0.list("ReservedPorts") }.map {
            ($0["Label"]?.string ?? "", Int($0["To"]?.integer ?? 0))
        }
    }

    var cpu: Int { tasks.reduce(0) { $0 + $1.cpu } }
    var memory: Int { tasks.reduce(0) { $0 + $1.memory } }
}

/// How a group goes from one version to the next.
struct UpdateSpec: Sendable, Equatable {
    let json: JSONValue

    var maxParallel: Int { Int(json["MaxParallel"]?.integer ?? 1) }
    var canary: Int { Int(json["Canary"]?.integer ?? 0) }
    var revertsItself: Bool { json["AutoRevert"]?.bool ?? false }
    var promotesItself: Bool { json["AutoPromote"]?.bool ?? false }
    var healthCheck: String { json["HealthCheck"]?.string ?? "checks" }
    var minimumHealthy: Duration { json.duration("MinHealthyTime") }
    var healthyDeadline: Duration { json.duration("HealthyDeadline") }
    var progressDeadline: Duration { json.duration("ProgressDeadline") }
}

/// How often a task that ended is started again where it was.
struct RestartSpec: Sendable, Equatable {
    let json: JSONValue

    var attempts: Int { Int(json["Attempts"]?.integer ?? 2) }
    var interval: Duration { json["Interval"] == nil ? .seconds(1800) : json.duration("Interval") }
    var delay: Duration { json["Delay"] == nil ? .seconds(15) : json.duration("Delay") }
    var mode: String { json["Mode"]?.string ?? "fail" }
}

/// One task.
struct TaskSpec: Sendable, Equatable {
    let json: JSONValue

    var name: String { json["Name"]?.string ?? "" }
    var image: String { json["Config"]?["image"]?.string ?? "" }
    /// What the image's own command is given.
    var arguments: [String] { json["Config"]?.strings("args") ?? [] }
    var environment: [String: String] { json.map("Env") }
    var meta: [String: String] { json.map("Meta") }
    var cpu: Int { Int(json["Resources"]?["CPU"]?.integer ?? 100) }
    var memory: Int { Int(json["Resources"]?["MemoryMB"]?.integer ?? 300) }
    var killTimeout: Duration { json["KillTimeout"] == nil ? .seconds(5) : json.duration("KillTimeout") }
    var templates: [JSONValue] { json.list("Templates") }
}

/// One service with its checks.
struct ServiceSpec: Sendable, Equatable {
    let json: JSONValue

    var name: String { json["Name"]?.string ?? "" }
    var portLabel: String { json["PortLabel"]?.string ?? "" }
    var provider: String { json["Provider"]?.string ?? "consul" }
    var tags: [String] { json.strings("Tags") }
    var canaryTags: [String] { json.strings("CanaryTags") }
    var checks: [CheckSpec] { json.list("Checks").map(CheckSpec.init) }
}

/// One health check.
struct CheckSpec: Sendable, Equatable {
    let json: JSONValue

    var name: String { json["Name"]?.string ?? "" }
    var type: String { json["Type"]?.string ?? "" }
    /// `nil` for a check that only connects.
    var path: String? { type == "tcp" ? nil : json["Path"]?.string ?? "/" }
    var interval: Duration { json.duration("Interval") }
    var timeout: Duration { json.duration("Timeout") }
    /// After how many failures in a row the task is started anew; 0 for never.
    var restartLimit: Int { Int(json["CheckRestart"]?["Limit"]?.integer ?? 0) }
    var restartGrace: Duration { json["CheckRestart"]?.duration("Grace") ?? .seconds(1) }
}

/// What a node must be like.
struct ConstraintSpec: Sendable, Equatable {
    let json: JSONValue

    var left: String { json["LTarget"]?.string ?? "" }
    var right: String { json["RTarget"]?.string ?? "" }
    var operand: String { json["Operand"]?.string ?? "=" }
}

extension JSONValue {
    /// The elements of a member that is a list; none when there is no such list.
    func list(_ name: String) -> [JSONValue] { self[name]?.array ?? [] }

    func strings(_ name: String) -> [String] { list(name).compactMap(\.string) }

    /// The members of a member that is an object of strings.
    func map(_ name: String) -> [String: String] { (self[name]?.object ?? [:]).compactMapValues(\.string) }

    /// A member that counts nanoseconds.
    func duration(_ name: String) -> Duration { .nanoseconds(self[name]?.integer ?? 0) }

    /// Without the members of objects that are null.
    var withoutNulls: JSONValue {
        switch self {
        case .object(let members): .object(members.filter { $0.value != .null }.mapValues(\.withoutNulls))
        case .array(let elements): .array(elements.map(\.withoutNulls))
        default: self
        }
    }

    /// With these members where they are missing.
    func defaulting(_ members: [String: JSONValue]) -> JSONValue {
        .object((object ?? [:]).merging(members) { own, _ in own })
    }

    /// With these members, whatever was there.
    func replacing(_ members: [String: JSONValue]) -> JSONValue {
        .object((object ?? [:]).merging(members) { _, new in new })
    }

    /// With one member made from what it is now.
    func mapping(_ name: String, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        guard let member = self[name], member != .null else { return self }
        return replacing([name: change(member)])
    }

    /// With every element of one list changed.
    func mappingEach(_ name: String, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        mapping(name) { .array(($0.array ?? []).map(change)) }
    }
}
