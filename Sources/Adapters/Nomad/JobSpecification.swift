internal import Crypto
package import Kernel
package import Platform

/// A tenant's job as Nomad is told of it: a pure function of the workload and of how this installation is set up.
///
/// Field names and units (durations are nanoseconds) are those of `api/jobs.go` and `api/tasks.go`. Secrets are only
/// named here: the template reads them from the job's own Nomad Variable when the task starts.
package struct JobSpecification: Sendable {
    /// Where the addresses of running workloads are kept.
    package enum ServiceProvider: String, Sendable, Codable {
        case nomad
        case consul
    }

    /// What is the same for all jobs of an installation.
    package struct Options: Sendable {
        package var region: String
        package var namespace: String
        package var datacenters: [String]
        package var provider: ServiceProvider
        /// The task driver that runs the image.
        package var driver: String
        /// On a development machine there are no labelled nodes, so nothing is asked of them.
        package var development: Bool
        package var timing: WorkloadTiming

        package init(
            region: String = "global",
            namespace: String = "default",
            datacenters: [String] = ["dc1"],
            provider: ServiceProvider = .nomad,
            driver: String = "docker",
            development: Bool = false,
            timing: WorkloadTiming = WorkloadTiming()
        ) {
            self.region = region
            self.namespace = namespace
            self.datacenters = datacenters
            self.provider = provider
            self.driver = driver
            self.development = development
            self.timing = timing
        }
    }

    /// What job `Meta` says of the owner: only what never changes for a generation, because it merges into the
    /// task's environment and any change of it restarts the task.
    package enum MetaKey {
        package static let organization = "sbx_organization"
        package static let instance = "sbx_instance"
        package static let generation = "sbx_generation"
        /// Only on a stopped job: the saga that stopped it.
        package static let stoppedBy = "sbx_stopped_by"
    }

    /// The task's name.
    package static let task = "railzway"
    /// How long a task may take to end when it is told to.
    static let killTimeout = Duration.seconds(30)
    /// The port's label, and where the image listens.
    package static let port = (label: "http", container: 8080)

    private let options: Options
    var timing: WorkloadTiming { options.timing }
    var provider: ServiceProvider { options.provider }

    package init(_ options: Options = Options()) {
        self.options = options
    }

    /// The job, to be sent as `Job`.
    ///
    /// - Throws: ``PortError/permanent(code:message:)`` when Nomad would refuse it, naming every reason.
    package func job(for workload: Workload) throws(PortError) -> JSONValue {
        let problems = problems(of: workload)
        guard problems.isEmpty else {
            throw .permanent(code: "nomad.specification", message: problems.joined(separator: "; "))
        }
        return [
            "ID": .string(workload.job),
            "Name": .string(workload.job),
            "Type": workload.once == nil ? "service" : "batch",
            "Region": .string(options.region),
            "Namespace": .string(options.namespace),
            "Datacenters": .array(options.datacenters.map { .string($0) }),
            "Priority": .integer(Int64(workload.priority)),
            "Meta": .object(Self.meta(of: workload.owner)),
            "TaskGroups": [workload.once == nil ? group(workload) : batch(workload)],
        ]
    }

    /// The same job, stopped: a tombstone that makes any late registration meet another index.
    package func tombstone(for workload: Workload) throws(PortError) -> JSONValue {
        guard case .object(var job) = try job(for: workload) else { return nil }
        var meta = Self.meta(of: workload.owner)
        meta[MetaKey.stoppedBy] = .string(workload.owner.saga)
        job["Stop"] = true
        job["Meta"] = .object(meta)
        return .object(job)
    }

    /// The same job with something else in it that touches nothing that runs: the time its tasks have to end.
    func nudged(_ job: JSONValue) -> JSONValue {
        guard case .object(var fields) = job, case .array(let groups)? = fields["TaskGroups"] else { return job }
        fields["TaskGroups"] = .array(
            groups.map { group in
                guard case .object(var members) = group, case .array(let tasks)? = members["Tasks"] else {
                    return group
                }
                members["Tasks"] = .array(
                    tasks.map { task in
                        guard case .object(var parts) = task else { return task }
                        parts["KillTimeout"] = nanoseconds(Self.killTimeout + .seconds(1))
                        return .object(parts)
                    }
                )
                return .object(members)
            }
        )
        return .object(fields)
    }

    /// Hex SHA-256 of a job's canonical JSON.
    package static func hash(of job: JSONValue) -> String {
        // Encoding a JSON value to JSON fails only for a number that is not finite, and a job has none.
        let bytes = (try? JSON.encode(job)) ?? []
        return SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func meta(of owner: Ownership) -> [String: JSONValue] {
        [
            MetaKey.organization: .string(owner.organization),
            MetaKey.instance: .string(owner.instance),
            MetaKey.generation: .string(String(owner.generation)),
        ]
    }

    private func group(_ workload: Workload) -> JSONValue {
        var group: [String: JSONValue] = [
            "Name": .string(workload.job),
            "Count": 1,
            "ShutdownDelay": nanoseconds(.seconds(5)),
            "Update": update(workload),
            "RestartPolicy": restart,
            "ReschedulePolicy": reschedule,
            "Migrate": migrate,
            "EphemeralDisk": ["SizeMB": 300, "Sticky": false, "Migrate": false],
            "Networks": [
                [
                    "Mode": "bridge",
                    "DynamicPorts": [
                        ["Label": .string(Self.port.label), "To": .integer(Int64(Self.port.container))]
                    ],
                ]
            ],
            "Services": [service(workload)],
            "Tasks": [task(workload)],
        ]
        if !options.development { group["Constraints"] = constraints(workload) }
        return .object(group)
    }

    /// Where a workload may run.
    private func constraints(_ workload: Workload) -> JSONValue {
        [constraint("${meta.tier}", workload.tier), constraint("${meta.compute}", workload.computeEngine)]
    }

    /// A group that nobody finds and that ends: Nomad refuses updates, migrations and canaries of such a one.
    private func batch(_ workload: Workload) -> JSONValue {
        var group: [String: JSONValue] = [
            "Name": .string(workload.job),
            "Count": 1,
            "RestartPolicy": [
                "Attempts": 2,
                "Interval": nanoseconds(.seconds(300)),
                "Delay": nanoseconds(options.development ? .seconds(1) : .seconds(15)),
                "Mode": "fail",
                "RenderTemplates": false,
            ],
            // What failed here would fail elsewhere.
            "ReschedulePolicy": ["Unlimited": false, "Attempts": 0],
            "EphemeralDisk": ["SizeMB": 300, "Sticky": false, "Migrate": false],
            "Tasks": [task(workload)],
        ]
        if !options.development { group["Constraints"] = constraints(workload) }
        return .object(group)
    }

    private func task(_ workload: Workload) -> JSONValue {
        [
            "Name": .string(Self.task),
            "Driver": .string(options.driver),
            "Config": config(workload),
            "Env": .object(workload.environment.mapValues { .string($0) }),
            "Resources": [
                "CPU": .integer(Int64(workload.cpu)),
                "MemoryMB": .integer(Int64(workload.memory)),
            ],
            "KillTimeout": nanoseconds(Self.killTimeout),
            "KillSignal": "SIGTERM",
            "LogConfig": ["MaxFiles": 5, "MaxFileSizeMB": 10],
            "Templates": [template(workload)],
        ]
    }

    private func config(_ workload: Workload) -> JSONValue {
        guard let arguments = workload.once else {
            return ["image": .string(workload.image), "ports": [.string(Self.port.label)]]
        }
        return ["image": .string(workload.image), "args": .array(arguments.map { .string($0) })]
    }

    /// Reads the secrets into the environment; a missing one keeps the task from starting instead of being empty.
    private func template(_ workload: Workload) -> JSONValue {
        var text = "{{ with nomadVar \"\(NomadVariable.path(job: workload.job))\" }}\n"
        for (name, item) in workload.secretEnvironment.sorted(by: { $0.key < $1.key }) {
            text += "\(name)={{ .\(item).Value | toJSON }}\n"
        }
        text += "{{ end }}\n"
        return [
            "DestPath": "secrets/tenant.env",
            "EmbeddedTmpl": .string(text),
            "Envvars": true,
            "ChangeMode": "restart",
            "Splay": nanoseconds(.seconds(5)),
            "Perms": "0400",
            "ErrMissingKey": true,
        ]
    }

    /// No router tags: routers are in our own document, and two routers of one host fight.
    private func service(_ workload: Workload) -> JSONValue {
        let balancer = "traefik.http.services.\(workload.job).loadbalancer.passhostheader=true"
        var check: [String: JSONValue] = [
            "Name": "health",
            "Type": "http",
            "Path": "/health",
            "Interval": nanoseconds(options.timing.checkInterval),
            "Timeout": nanoseconds(options.timing.checkTimeout),
            "CheckRestart": ["Limit": 3, "Grace": nanoseconds(.seconds(60))],
        ]
        if options.provider == .consul {
            // Nomad's own provider refuses these two.
            check["SuccessBeforePassing"] = 1
            check["FailuresBeforeCritical"] = 2
        }
        return [
            "Provider": .string(options.provider.rawValue),
            "Name": .string(workload.job),
            "PortLabel": .string(Self.port.label),
            "AddressMode": "auto",
            "Tags": ["traefik.enable=true", .string(balancer)],
            "CanaryTags": ["traefik.enable=false", "canary"],
            "Checks": [.object(check)],
        ]
    }

    private func update(_ workload: Workload) -> JSONValue {
        [
            "Stagger": nanoseconds(.seconds(30)),
            "MaxParallel": 1,
            "HealthCheck": "checks",
            "MinHealthyTime": nanoseconds(options.timing.minimumHealthy),
            "HealthyDeadline": nanoseconds(options.timing.healthyDeadline),
            "ProgressDeadline": nanoseconds(options.timing.progressDeadline),
            "Canary": .integer(Int64(workload.canary)),
            "AutoRevert": .bool(workload.autoRevert),
            "AutoPromote": false,
        ]
    }

    private var restart: JSONValue {
        [
            "Attempts": 3,
            "Interval": nanoseconds(.seconds(300)),
            "Delay": nanoseconds(.seconds(15)),
            "Mode": "fail",
            "RenderTemplates": false,
        ]
    }

    private var reschedule: JSONValue {
        [
            "Unlimited": true,
            "Attempts": 0,
            "Interval": 0,
            "Delay": nanoseconds(.seconds(30)),
            "DelayFunction": "exponential",
            "MaxDelay": nanoseconds(.seconds(3600)),
        ]
    }

    private var migrate: JSONValue {
        [
            "MaxParallel": 1,
            "HealthCheck": "checks",
            "MinHealthyTime": nanoseconds(options.timing.minimumHealthy),
            "HealthyDeadline": nanoseconds(options.timing.healthyDeadline),
        ]
    }

    private func constraint(_ attribute: String, _ value: String) -> JSONValue {
        ["LTarget": .string(attribute), "RTarget": .string(value), "Operand": "="]
    }

    private func nanoseconds(_ duration: Duration) -> JSONValue {
        .integer(duration.nanoseconds)
    }
}

extension Duration {
    /// Whole nanoseconds, as Go counts time; enough for 292 years.
    var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
