internal import Platform

extension JobSpecification {
    /// What Nomad would refuse, found before it is asked.
    ///
    /// The rules are those of `nomad/structs` (ids, services, update stanza, resources) and of `VariablesApplyRequest`
    /// (a variable's path has no dots). Values of secrets are never here, so every message is safe to show.
    func problems(of workload: Workload) -> [String] {
        nameProblems(workload) + figureProblems(workload) + environmentProblems(workload)
    }

    private func nameProblems(_ workload: Workload) -> [String] {
        var problems: [String] = []
        let job = workload.job
        if !isServiceName(job) {
            problems.append("the job name \"\(job)\" is not a service name (RFC 1123, at most 63 characters)")
        }
        if job.utf8.count > 128 - NomadVariable.path(job: "").utf8.count {
            problems.append("the job name is too long for a variable's path")
        }
        // Nomad finds the end of an id by these suffixes of the URL's path.
        let suffixes = [
            "/allocations", "/evaluations", "/plan", "/deployment", "/deployments", "/summary", "/versions",
        ]
        if suffixes.contains(where: { ("/" + job).hasSuffix($0) }) {
            problems.append("the job name is a reserved word")
        }
        if workload.image.isEmpty { problems.append("the image is missing") }
        if workload.tier.isEmpty { problems.append("the tier is missing") }
        if workload.computeEngine.isEmpty { problems.append("the compute engine is missing") }
        if workload.owner.organization.isEmpty || workload.owner.instance.isEmpty || workload.owner.generation < 1 {
            problems.append("the owner is incomplete")
        }
        return problems
    }

    private func figureProblems(_ workload: Workload) -> [String] {
        var problems: [String] = []
        let timing = timing
        if !(1...100).contains(workload.priority) { problems.append("priority must be between 1 and 100") }
        if workload.cpu < 1 { problems.append("cpu must be at least 1 MHz") }
        if workload.memory < 10 { problems.append("memory must be at least 10 MB") }
        if !(0...1).contains(workload.canary) { problems.append("canary must be 0 or 1, like the count of the group") }
        if !(timing.minimumHealthy < timing.healthyDeadline && timing.healthyDeadline < timing.progressDeadline) {
            problems.append("minimum healthy time < healthy deadline < progress deadline does not hold")
        }
        if timing.progressDeadline < Self.killTimeout {
            problems.append("the progress deadline must be at least 30 s, the time a task may take to end")
        }
        if timing.checkInterval < .seconds(1) { problems.append("the check interval must be at least 1 s") }
        if timing.checkTimeout < .seconds(1) { problems.append("the check timeout must be at least 1 s") }
        return problems
    }

    private func environmentProblems(_ workload: Workload) -> [String] {
        var problems: [String] = []
        for (name, value) in workload.environment.sorted(by: { $0.key < $1.key }) {
            if !isVariableName(name) { problems.append("\"\(name)\" is no name of an environment variable") }
            // The tenant takes an empty value for an unset one and falls back to a default of its own.
            if value.isEmpty { problems.append("\(name) has no value") }
            if value.contains("\0") { problems.append("\(name) contains a NUL") }
        }
        for (name, item) in workload.secretEnvironment.sorted(by: { $0.key < $1.key }) {
            if !isVariableName(name) { problems.append("\"\(name)\" is no name of an environment variable") }
            if !isVariableName(item) { problems.append("\"\(item)\" is no name of a secret item") }
            if workload.environment[name] != nil { problems.append("\(name) is both public and secret") }
        }
        return problems
    }

    private func isServiceName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...63).contains(bytes.count), bytes.first != UInt8(ascii: "-"), bytes.last != UInt8(ascii: "-") else {
            return false
        }
        return bytes.allSatisfy { isLowercase($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }

    /// Also what a template can name with a dot in front: a Go identifier.
    private func isVariableName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, !isDigit(first) else { return false }
        return bytes.allSatisfy {
            isLowercase($0) || isDigit($0) || $0 == UInt8(ascii: "_")
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
        }
    }

    private func isLowercase(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
