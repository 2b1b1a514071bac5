internal import Domain
internal import Kernel

/// The instances as they are now.
package enum Instances: Projection {
    package typealias Row = InstanceRow

    package static let name = "instances"
    package static let shape = 1
    package static let reads = InstanceEvent.types

    package static func key(of entry: Entry) -> String? { entry.subject }

    package static func fold(into row: inout InstanceRow?, _ entry: Entry) throws {
        guard case .instance(let event) = entry.event else { return }
        if case .requested(let fact) = event {
            guard let id = InstanceID(entry.subject) else { throw FoldError.missing(key: entry.subject) }
            row = InstanceRow(id: id, fact, at: entry.at)
            row?.version = entry.version
            return
        }
        guard var instance = row else { throw FoldError.missing(key: entry.subject) }
        instance.fold(event, at: entry.at)
        instance.updatedAt = entry.at
        instance.version = entry.version
        row = instance
    }
}

extension InstanceRow {
    fileprivate mutating func fold(_ event: InstanceEvent, at moment: Timestamp) {
        switch event {
        case .requested: break
        case .retryRequested(let fact):
            status = .provisioning
            generation = fact.generation
            conditions = []
            slots = []
            lastError = nil
            launchURL = nil
        case .credentialsReserved(let fact), .credentialsRotated(let fact):
            note("CredentialsReserved", .yes, "rotation \(fact.rotation)", at: moment)
        case .databaseProvisioned(let fact): note("DatabaseReady", .unknown, "\(fact.database) created", at: moment)
        case .isolationApplied(let fact): note("DatabaseReady", .yes, "\(fact.database) isolated", at: moment)
        case .workloadRegistered(let fact):
            note("WorkloadRegistered", .yes, "job \(fact.job) version \(fact.jobVersion)", at: moment)
            note("Healthy", .unknown, "waiting for version \(fact.jobVersion)", at: moment)
            register(fact.job)
        case .becameHealthy(let fact):
            note("Healthy", .yes, "version \(fact.jobVersion)", at: moment)
            if let index = slots.firstIndex(where: { $0.job == fact.job && $0.weight == 0 }) {
                slots[index].status = .ready
            }
        case .routePublished(let fact):
            note("RoutePublished", .yes, fact.host, at: moment)
            serve(from: fact.service)
        case .routeWithdrawn:
            note("RoutePublished", .no, "withdrawn", at: moment)
            for index in slots.indices where slots[index].status != .terminated {
                slots[index].rest(as: slots[index].status == .serving ? .ready : slots[index].status)
            }
        case .running(let fact):
            settle(in: .running)
            launchURL = fact.launchURL
            lastError = nil
        case .provisioningFailed(let fact):
            settle(in: .provisioningFailed)
            lastError = Failure(step: fact.step, failure: fact.failure, reason: fact.reason, at: moment)
            slots = []
            // What was abandoned is left where it was, and nobody looks after it any more.
            let (known, message) =
                fact.failure == "abandoned" ? (ConditionStatus.unknown, "abandoned") : (.no, "taken back")
            for condition in conditions { note(condition.type, known, message, at: moment) }
        case .stopRequested: status = .stopping
        case .stopped:
            settle(in: .stopped)
            for index in slots.indices { slots[index].rest(as: .terminated) }
        case .startRequested: status = .starting
        case .started: settle(in: .running)
        case .changeRequested(let fact):
            status = .changing
            if fact.change == "version" { desiredRelease = fact.to }
        case .changed(let fact):
            settle(in: .running)
            if let plan = fact.plan { self.plan = plan }
            if let release = fact.release {
                self.release = release
                for index in slots.indices where slots[index].weight > 0 { slots[index].release = release.version }
            }
            desiredRelease = release.version
            lastError = nil
        case .changeRolledBack(let fact):
            if fact.change == InstanceTransition.termination.rawValue { status = .stopping }
            settle(in: fact.back.flatMap { Status(rawValue: $0) } ?? .running)
            desiredRelease = release.version
            lastError = Failure(step: fact.change, failure: "rolled-back", reason: fact.reason, at: moment)
        case .slotDeployed(let fact):
            slots.removeAll { $0.name == fact.slot }
            slots.append(Slot(name: fact.slot, status: .pending, release: fact.release, job: fact.job, weight: 0))
            slots.sort { $0.name < $1.name }
        case .slotReady(let fact): move(fact.slot, to: .ready)
        case .slotServing(let fact): move(fact.slot, to: .serving)
        case .slotDraining(let fact): move(fact.slot, to: .draining)
        case .slotRetired(let fact): move(fact.slot, to: .terminated)
        case .trafficShifted(let fact):
            for weight in fact.weights {
                guard let index = slots.firstIndex(where: { $0.name == weight.slot }) else { continue }
                slots[index].weight = weight.writes
                slots[index].readWeight = weight.reads == weight.writes ? nil : weight.reads
            }
        case .leaseHandedOver(let fact):
            note("SchedulerLease", .yes, "slot \(fact.slot), epoch \(fact.epoch)", at: moment)
        case .observed(let fact): note(fact.condition, fact.status, "", reason: fact.reason, at: moment)
        case .driftDetected(let fact):
            note("InSync", .no, "\(fact.what) is \(fact.observed), not \(fact.expected)", at: moment)
        case .driftRepaired(let fact): note("InSync", .yes, fact.what, at: moment)
        case .terminationRequested: status = .terminating
        case .backedUp(let fact): note("BackedUp", .yes, "\(fact.size) bytes", at: moment)
        // What an earlier generation left says nothing about the database that it has.
        case .databaseQuarantined(let fact) where fact.orphan != nil: break
        case .databaseQuarantined(let fact): note("DatabaseReady", .no, "quarantined until \(fact.until)", at: moment)
        case .databaseDropped(let fact):
            // That of an earlier generation is dropped while another one is in use.
            if [.provisioningFailed, .terminating, .terminated].contains(status) {
                note("DatabaseReady", .no, "\(fact.database) dropped", at: moment)
            }
        case .terminated:
            status = .terminated
            slots = []
        }
    }

    /// Nothing is under way any more, except a termination, which nothing else ends.
    private mutating func settle(in status: Status) {
        if self.status != .terminating { self.status = status }
    }

    /// Sets a condition; `since` moves only when its status does.
    private mutating func note(
        _ type: String,
        _ status: ConditionStatus,
        _ message: String,
        reason: String? = nil,
        at moment: Timestamp
    ) {
        let usual =
            switch status {
            case .yes: "Done"
            case .no: "Undone"
            case .unknown: "Pending"
            }
        let index = conditions.firstIndex { $0.type == type }
        let same = index.map { conditions[$0] }.flatMap { $0.status == status ? $0 : nil }
        let condition = Condition(
            type: type,
            status: status,
            reason: reason ?? usual,
            message: message,
            since: same?.since ?? moment,
            generation: generation
        )
        if let index { conditions[index] = condition } else { conditions.append(condition) }
    }
}
