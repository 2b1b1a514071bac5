internal import Kernel

/// The types of a job's fields as Nomad decodes them: a wrong one is refused before anything else is looked at.
///
/// Durations are integers of nanoseconds here, nothing else; fields that are not listed are ignored, as Nomad does.
indirect enum JobShape: Sendable {
    case string, integer, boolean
    case list(JobShape)
    case map(JobShape)
    case object(String, [String: JobShape])
    case anything

    /// What is wrong with `value` in the words of Go's decoder; `nil` when nothing is.
    func problem(with value: JSONValue, at place: String = "") -> String? {
        switch (self, value) {
        case (.anything, _), (_, .null), (.string, .string), (.integer, .integer), (.boolean, .bool):
            return nil
        case (.list(let shape), .array(let elements)):
            return elements.lazy.compactMap { shape.problem(with: $0, at: place) }.first
        case (.map(let shape), .object(let members)):
            return members.sorted { $0.key < $1.key }.lazy.compactMap { shape.problem(with: $0.value, at: place) }.first
        case (.object(let name, let shapes), .object(let members)):
            for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                // Go's decoder does not care about the case of names.
                let known = shapes[key] ?? shapes.first { $0.key.lowercased() == key.lowercased() }?.value
                if let problem = known?.problem(with: value, at: place.isEmpty ? "\(name).\(key)" : "\(place).\(key)") {
                    return problem
                }
            }
            return nil
        default:
            return "json: cannot unmarshal \(value.kind) into Go struct field \(place) of type \(goName)"
        }
    }

    private var goName: String {
        switch self {
        case .string: "string"
        case .integer: "int64"
        case .boolean: "bool"
        case .list(let element): "[]\(element.goName)"
        case .map(let element): "map[string]\(element.goName)"
        case .object(let name, _): "api.\(name)"
        case .anything: "interface {}"
        }
    }

    static let registration = JobShape.object(
        "JobRegisterRequest",
        [
            "Job": job, "EnforceIndex": .boolean, "JobModifyIndex": .integer, "PolicyOverride": .boolean,
            "PreserveCounts": .boolean, "EvalPriority": .integer, "Namespace": .string, "Region": .string,
            "Diff": .boolean,
        ]
    )

    private static let job = JobShape.object(
        "Job",
        [
            "ID": .string, "Name": .string, "Region": .string, "Namespace": .string, "Type": .string,
            "Priority": .integer,
            "Datacenters": .list(.string), "NodePool": .string, "Meta": .map(.string), "Stop": .boolean,
            "Constraints": .list(constraint), "TaskGroups": .list(group), "Update": update, "AllAtOnce": .boolean,
        ]
    )

    private static let constraint = JobShape.object(
        "Constraint",
        ["LTarget": .string, "RTarget": .string, "Operand": .string]
    )

    private static let group = JobShape.object(
        "TaskGroup",
        [
            "Name": .string, "Count": .integer, "Constraints": .list(constraint), "Update": update,
            "Meta": .map(.string),
            "ShutdownDelay": .integer, "Services": .list(service), "Tasks": .list(task),
            "RestartPolicy": .object(
                "RestartPolicy",
                [
                    "Attempts": .integer, "Interval": .integer, "Delay": .integer, "Mode": .string,
                    "RenderTemplates": .boolean,
                ]
            ),
            "ReschedulePolicy": .object(
                "ReschedulePolicy",
                [
                    "Attempts": .integer, "Interval": .integer, "Delay": .integer, "DelayFunction": .string,
                    "MaxDelay": .integer, "Unlimited": .boolean,
                ]
            ),
            "Migrate": .object(
                "MigrateStrategy",
                [
                    "MaxParallel": .integer, "HealthCheck": .string, "MinHealthyTime": .integer,
                    "HealthyDeadline": .integer,
                ]
            ),
            "EphemeralDisk": .object("EphemeralDisk", ["SizeMB": .integer, "Sticky": .boolean, "Migrate": .boolean]),
            "Networks": .list(
                .object(
                    "NetworkResource",
                    ["Mode": .string, "DynamicPorts": .list(port), "ReservedPorts": .list(port)]
                )
            ),
        ]
    )

    private static let port = JobShape.object(
        "Port",
        ["Label": .string, "Value": .integer, "To": .integer, "HostNetwork": .string]
    )

    private static let update = JobShape.object(
        "UpdateStrategy",
        [
            "Stagger": .integer, "MaxParallel": .integer, "HealthCheck": .string, "MinHealthyTime": .integer,
            "HealthyDeadline": .integer, "ProgressDeadline": .integer, "Canary": .integer, "AutoRevert": .boolean,
            "AutoPromote": .boolean,
        ]
    )

    private static let service = JobShape.object(
        "Service",
        [
            "Name": .string, "Tags": .list(.string), "CanaryTags": .list(.string), "PortLabel": .string,
            "Provider": .string,
            "AddressMode": .string, "Meta": .map(.string),
            "Checks": .list(
                .object(
                    "ServiceCheck",
                    [
                        "Name": .string, "Type": .string, "Path": .string, "Interval": .integer, "Timeout": .integer,
                        "PortLabel": .string, "SuccessBeforePassing": .integer, "FailuresBeforeCritical": .integer,
                        "CheckRestart": .object(
                            "CheckRestart",
                            ["Limit": .integer, "Grace": .integer, "IgnoreWarnings": .boolean]
                        ),
                    ]
                )
            ),
        ]
    )

    private static let task = JobShape.object(
        "Task",
        [
            "Name": .string, "Driver": .string, "User": .string, "Config": .map(.anything), "Env": .map(.string),
            "Meta": .map(.string), "KillTimeout": .integer, "KillSignal": .string, "Services": .list(service),
            "Constraints": .list(constraint), "ShutdownDelay": .integer,
            "Resources": .object("Resources", ["CPU": .integer, "MemoryMB": .integer, "MemoryMaxMB": .integer]),
            "LogConfig": .object("LogConfig", ["MaxFiles": .integer, "MaxFileSizeMB": .integer, "Disabled": .boolean]),
            "Templates": .list(
                .object(
                    "Template",
                    [
                        "DestPath": .string, "EmbeddedTmpl": .string, "SourcePath": .string, "Envvars": .boolean,
                        "ChangeMode": .string, "ChangeSignal": .string, "Splay": .integer, "Perms": .string,
                        "ErrMissingKey": .boolean, "LeftDelim": .string, "RightDelim": .string,
                    ]
                )
            ),
        ]
    )
}

extension JSONValue {
    /// What Go's decoder calls it.
    fileprivate var kind: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .integer, .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
