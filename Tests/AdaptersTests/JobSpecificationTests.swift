import Adapters
import Kernel
import Platform
import Testing
import Yams

@Suite("Job specification")
struct JobSpecificationTests {
    static let variants: [(String, JobSpecification.Options, Workload)] = [
        ("team.nomad", .init(), .sample),
        ("team.consul", .init(provider: .consul), .sample),
        (
            "starter.development",
            .init(
                development: true,
                timing: WorkloadTiming(
                    minimumHealthy: .milliseconds(500),
                    checkInterval: .seconds(1),
                    checkTimeout: .seconds(1)
                )
            ),
            Workload.sample.with {
                ($0.tier, $0.cpu, $0.memory, $0.priority) = ("starter", 500, 1024, 60)
                ($0.canary, $0.autoRevert) = (0, false)
            }
        ),
    ]

    @Test("is what the golden file says", arguments: variants.map(\.0))
    func golden(name: String) throws {
        let (_, options, workload) = try #require(Self.variants.first { $0.0 == name })
        let job = try JobSpecification(options).job(for: workload)
        let path = "jobs/\(name).json"
        let golden = try? Fixture.json(path)
        if golden != job { try Fixture.propose(try JSON.pretty(job) + "\n", for: path) }
        // Compared outside of the expectation, which would print both.
        let isGolden = golden == job
        #expect(isGolden, "compare Tests/Fixtures/\(path) with \(path).actual")
    }

    @Test("differs from the sample only where the domain says so", arguments: ["nomad", "consul"])
    func sample(provider: String) throws {
        let kind = try #require(JobSpecification.ServiceProvider(rawValue: provider))
        let job = try JobSpecification(.init(provider: kind)).job(for: .sample)
        let sample = try #require(try Fixture.json("jobs/sample.\(provider).json")["Job"])
        let expected: Set<String> = [
            // Default in Nomad, and of no meaning to older versions.
            "/NodePool",
            // Only what never changes for a generation.
            "/Meta/rw_org_id", "/Meta/rw_tier", "/Meta/sbx_organization", "/Meta/sbx_instance", "/Meta/sbx_generation",
            // Group = job; routers are in our own document.
            "/TaskGroups/0/Name", "/TaskGroups/0/Services/0/Tags",
            // The same lines in alphabetical order.
            "/TaskGroups/0/Tasks/0/Templates/0/EmbeddedTmpl",
        ]
        #expect(Set(Self.differences(job, sample)) == expected)

        func lines(_ json: JSONValue) -> Set<Substring> {
            let template = json["TaskGroups"]?.array?[0]["Tasks"]?.array?[0]["Templates"]?.array?[0]
            return Set((template?["EmbeddedTmpl"]?.string ?? "").split(separator: "\n"))
        }
        #expect(lines(job) == lines(sample))
        #expect(lines(job).count == 14)
    }

    @Test("has only fields and types of Nomad's own model", arguments: variants.map(\.0))
    func model(name: String) throws {
        let (_, options, workload) = try #require(Self.variants.first { $0.0 == name })
        let job = try JobSpecification(options).tombstone(for: workload)
        let yaml = try #require(try Yams.compose(yaml: try Fixture.text("nomad/openapi-jobs.yaml")))
        let check = SchemaCheck(
            root: Self.json(yaml),
            newer: ["Template.ErrMissingKey", "RestartPolicy.RenderTemplates"]
        )
        let request: JSONValue = ["Job": job, "EnforceIndex": true, "JobModifyIndex": 0]
        #expect(check.problems(request, as: ["$ref": "#/components/schemas/JobRegisterRequest"]) == [])

        let wrong: JSONValue = ["Job": ["Priority": "90", "Stopp": true]]
        let found = check.problems(wrong, as: ["$ref": "#/components/schemas/JobRegisterRequest"])
        #expect(found.sorted() == ["#/Job/Priority: is no integer", "#/Job/Stopp: no such field"])
    }

    @Test("no value of a secret can be in it, only its name")
    func secrets() throws {
        let job = try JobSpecification().job(for: .sample)
        let task = job["TaskGroups"]?.array?[0]["Tasks"]?.array?[0]
        for name in Workload.sample.secretEnvironment.keys { #expect(task?["Env"]?[name] == nil) }
    }

    @Test("a tombstone is the job, stopped, by whom")
    func tombstone() throws {
        let specification = JobSpecification()
        let job = try specification.job(for: .sample)
        let tombstone = try specification.tombstone(for: .sample)
        #expect(Set(Self.differences(job, tombstone)) == ["/Stop", "/Meta/sbx_stopped_by"])
        #expect(tombstone["Stop"] == true)
        #expect(tombstone["Meta"]?["sbx_stopped_by"]?.string == Workload.sample.owner.saga)
    }

    @Test("the hash tells specifications apart and nothing else")
    func hash() throws {
        let first = JobSpecification.hash(of: try JobSpecification().job(for: .sample))
        let again = JobSpecification.hash(of: try JobSpecification().job(for: .sample.with { $0.owner.saga = "other" }))
        let other = JobSpecification.hash(of: try JobSpecification().job(for: .sample.with { $0.memory = 8192 }))
        #expect(first == again)
        #expect(first != other)
        #expect(first.count == 64)
    }

    static let refused: [(String, @Sendable (inout Workload) -> Void)] = [
        ("not a service name", { $0.job = "railzway.org.1" }),
        ("not a service name", { $0.job = "railzway-" + String(repeating: "9", count: 60) }),
        ("reserved word", { $0.job = "plan" }),
        ("priority", { $0.priority = 101 }),
        ("cpu", { $0.cpu = 0 }),
        ("memory", { $0.memory = 9 }),
        ("canary", { $0.canary = 2 }),
        ("image", { $0.image = "" }),
        ("compute engine", { $0.computeEngine = "" }),
        ("owner", { $0.owner.generation = 0 }),
        ("QUOTA_ORG_CUSTOMER has no value", { $0.environment["QUOTA_ORG_CUSTOMER"] = "" }),
        ("no name of an environment variable", { $0.environment["1A"] = "x" }),
        ("no name of a secret item", { $0.secretEnvironment["DB_HOST"] = "db-host" }),
        ("both public and secret", { $0.environment["DB_HOST"] = "x" }),
    ]

    @Test("what Nomad would refuse is refused before it is asked", arguments: refused.indices)
    func refusal(index: Int) throws {
        let (reason, change) = Self.refused[index]
        let error = #expect(throws: PortError.self) { try JobSpecification().job(for: .sample.with(change)) }
        #expect(error?.code == "nomad.specification")
        #expect(error?.message.contains(reason) == true)
    }

    @Test("timings that Nomad would refuse are refused too")
    func timing() {
        let short = WorkloadTiming(minimumHealthy: .seconds(400), checkInterval: .milliseconds(999))
        let error = #expect(throws: PortError.self) { try JobSpecification(.init(timing: short)).job(for: .sample) }
        #expect(error?.message.contains("check interval") == true)
        #expect(error?.message.contains("healthy deadline") == true)
        let hasty = WorkloadTiming(healthyDeadline: .seconds(20), progressDeadline: .seconds(29))
        let other = #expect(throws: PortError.self) { try JobSpecification(.init(timing: hasty)).job(for: .sample) }
        #expect(other?.message.contains("progress deadline must be at least 30 s") == true)
    }
}

extension JobSpecificationTests {
    /// Paths at which two JSON values differ.
    static func differences(_ left: JSONValue, _ right: JSONValue, at path: String = "") -> [String] {
        switch (left, right) {
        case (.object(let left), .object(let right)):
            return Set(left.keys).union(right.keys).flatMap { key -> [String] in
                guard let one = left[key], let other = right[key] else { return ["\(path)/\(key)"] }
                return differences(one, other, at: "\(path)/\(key)")
            }
        case (.array(let left), .array(let right)) where left.count == right.count:
            return left.indices.flatMap { differences(left[$0], right[$0], at: "\(path)/\($0)") }
        default:
            return left == right ? [] : [path]
        }
    }

    private static func json(_ node: Node) -> JSONValue {
        switch node {
        case .mapping(let mapping):
            .object(Dictionary(mapping.map { ($0.key.string ?? "", json($0.value)) }) { first, _ in first })
        case .sequence(let sequence): .array(sequence.map(json))
        case .scalar(let scalar): .string(scalar.string)
        case .alias: .null
        }
    }
}
