internal import Domain
package import EventStore
package import Kernel
package import Platform

/// Looks at everything outside that an instance needs, as it is now; changes nothing.
package struct InstanceChecks: Sendable {
    private let ports: ProvisioningPorts
    private let log: any EventLog
    private let patience: Duration

    /// Makes checks that ask these ports.
    ///
    /// - Parameters:
    ///   - ports: What is asked.
    ///   - log: What says what there should be.
    ///   - patience: How long one of them may take.
    package init(ports: ProvisioningPorts, log: any EventLog, patience: Duration = .seconds(5)) {
        self.ports = ports
        self.log = log
        self.patience = patience
    }

    /// What each of them found, in a fixed order.
    ///
    /// - Parameters:
    ///   - instance: One that was asked for.
    ///   - isUp: Whether it should run now; what does not is not looked for where things run.
    /// - Returns: All of them.
    /// - Throws: ``PortError`` when the log does not say what there should be.
    package func all(of instance: InstanceID, isUp: Bool) async throws(PortError) -> [InstanceCheck] {
        let input = try await ProvisionInput.now(instance, log)
        // Nothing is made, so whose tag it would bear does not matter.
        let saga = UniqueID(0)
        let workload = ports.remains(input, slot: input.serving, saga: saga)
        let target = Target(
            workload: workload,
            registered: try await registered(workload.job, of: instance),
            database: ports.database(input, saga: saga),
            router: ports.names.router(organization: "\(input.organization)", instance: input.name),
            host: ports.names.host(slug: input.slug, instance: input.name),
            ports: ports
        )
        let checks: [(String, @Sendable () async -> InstanceCheck.Finding)] = [
            ("job", { isUp ? await target.job() : .down }), ("catalog", { isUp ? await target.catalog() : .down }),
            ("route", { isUp ? await target.route() : .down }), ("tenant", { isUp ? await target.tenant() : .down }),
            ("database", target.stored), ("role", target.role),
        ]
        let patience = patience
        let found = await withTaskGroup(of: InstanceCheck.self) { group in
            for (name, check) in checks { group.addTask { await Self.timed(name, patience, check) } }
            return await group.reduce(into: [String: InstanceCheck]()) { $0[$1.name] = $1 }
        }
        return checks.compactMap { found[$0.0] }
    }

    /// What was last registered under the name of a job; `nil` when nothing was yet.
    private func registered(_ job: String, of instance: InstanceID) async throws(PortError) -> RegisteredWorkload? {
        var found: RegisteredWorkload?
        do throws(SagaBeginError) {
            let stream = StreamName(category: InstanceEvent.category, id: instance)
            for event in try await ProvisionInput.history(stream, log) {
                guard case .workloadRegistered(let fact) = try ProvisionInput.decoded(InstanceEvent.self, event),
                    fact.job == job
                else { continue }
                found = RegisteredWorkload(
                    job: job,
                    version: fact.jobVersion,
                    modifyIndex: fact.modifyIndex,
                    specHash: fact.specHash
                )
            }
            return found
        } catch {
            switch error {
            case .log(let error): throw .unread(error)
            case .malformed(let why): throw .blocked(code: "log-unreadable", message: why)
            }
        }
    }

    private static func timed(
        _ name: String,
        _ patience: Duration,
        _ check: @escaping @Sendable () async -> InstanceCheck.Finding
    ) async -> InstanceCheck {
        let start = ContinuousClock.now
        let finding = await withTaskGroup(of: InstanceCheck.Finding.self) { group in
            group.addTask { await check() }
            group.addTask {
                // Cancelled, the other was first.
                try? await Task.sleep(for: patience)
                return .unknown("no answer in \(patience.components.seconds) s")
            }
            let first = await group.next() ?? .unknown("no answer")
            group.cancelAll()
            return first
        }
        return InstanceCheck(name: name, finding, took: ContinuousClock.now - start)
    }
}

/// What is looked at.
private struct Target: Sendable {
    var workload: Workload
    var registered: RegisteredWorkload?
    var database: TenantDatabase
    var router: String
    var host: String
    var ports: ProvisioningPorts

    func job() async -> InstanceCheck.Finding {
        await found { () async throws(PortError) in
            switch try await ports.scheduler.condition(of: workload) {
            case .healthy: return .passing
            case .deploying(let reason), .waitingForCapacity(let reason), .failed(let reason): return .failing(reason)
            }
        }
    }

    /// Whether it can be reached, by what the scheduler has in its catalogue.
    func catalog() async -> InstanceCheck.Finding {
        await found { () async throws(PortError) in
            try await address() == nil ? .failing("nothing of it runs anywhere") : .passing
        }
    }

    func tenant() async -> InstanceCheck.Finding {
        guard let tenants = ports.tenants else { return .skipped("tenants cannot be asked from here") }
        return await found { () async throws(PortError) in
            guard let address = try await address() else { return .failing("nothing of it runs anywhere") }
            let problem = try await tenants.readiness(at: address).problem(standingBy: false)
            return problem.map { .failing($0) } ?? .passing
        }
    }

    func route() async -> InstanceCheck.Finding {
        guard let edge = ports.edge else { return .skipped("no edge is asked whether routes are live") }
        return await found { () async throws(PortError) in
            let problem = try await edge.problem(router: router, host: host)
            return problem.map { .failing($0) } ?? .passing
        }
    }

    func stored() async -> InstanceCheck.Finding {
        await found { () async throws(PortError) in
            switch try await ports.databases.probeDatabase(database) {
            case .present(true): return .passing
            case .present(false): return .failing("the database takes no connections")
            case .absent: return .failing("there is no database \(database.database)")
            case .foreign(let whose): return .failing("the database of that name is not ours: \(whose)")
            case .newer: return .failing("the database is of a later generation")
            case .pending(let why): return .failing(why)
            }
        }
    }

    func role() async -> InstanceCheck.Finding {
        await found { () async throws(PortError) in
            switch try await ports.databases.probeRole(database) {
            // Whether it may log in says nothing: after a rotation another login is used.
            case .present: return .passing
            case .absent: return .failing("there is no role \(database.role)")
            case .foreign(let whose): return .failing("the role of that name is not ours: \(whose)")
            case .newer: return .failing("the role is of a later generation")
            case .pending(let why): return .failing(why)
            }
        }
    }

    private func address() async throws(PortError) -> String? {
        guard let registered else { return nil }
        return try await ports.scheduler.address(of: registered)
    }

    /// What cannot be asked is not known; why is safe to show.
    private func found(
        _ look: () async throws(PortError) -> InstanceCheck.Finding
    ) async -> InstanceCheck.Finding {
        do throws(PortError) { return try await look() } catch { return .unknown(error.message) }
    }
}

/// What one look at an instance found.
package struct InstanceCheck: Sendable, Equatable, Codable {
    package enum Status: String, Sendable, Codable, CaseIterable {
        case passing, failing, unknown, skipped
    }

    /// What was found, with why.
    package enum Finding: Sendable, Equatable {
        case passing
        case failing(String)
        /// It could not be asked.
        case unknown(String)
        case skipped(String)

        /// It is not meant to run.
        static let down = Finding.skipped("it is not meant to run now")
    }

    package var name: String
    package var status: Status
    /// Why; absent when all is well.
    package var detail: String?
    package var milliseconds: Int64

    /// - Parameters:
    ///   - name: What was looked at.
    ///   - finding: What was found.
    ///   - took: How long that took.
    package init(name: String, _ finding: Finding, took: Duration) {
        self.name = name
        self.milliseconds = took.milliseconds
        switch finding {
        case .passing: (status, detail) = (.passing, nil)
        case .failing(let why): (status, detail) = (.failing, why)
        case .unknown(let why): (status, detail) = (.unknown, why)
        case .skipped(let why): (status, detail) = (.skipped, why)
        }
    }
}
