package import Domain

extension Instance {
    package func decide(_ command: Command) throws(Refusal) -> [InstanceEvent] {
        switch (command, stage) {
        case (.request(let fact), .absent): return try request(fact)
        case (.request, _): throw .alreadyRequested
        case (_, .absent): throw .notRequested

        // What is left to record of an instance's end comes after it, too: databases are dropped days later.
        case (.recordDatabaseQuarantined(let fact), _):
            return quarantine == fact || orphans[fact.database] == fact ? [] : [.databaseQuarantined(fact)]
        case (.recordDatabaseDropped(let fact), _):
            let known =
                [database?.database, quarantine?.database].contains(fact.database)
                || orphans[fact.database] != nil
            return known ? [.databaseDropped(fact)] : []
        case (.offerChange(let fact), _):
            return try decide(.requestChange(fact))
        case (.withdrawRoute(let fact), _):
            try require(fact.generation)
            return route == nil ? [] : [.routeWithdrawn(fact)]
        case (.requestTermination(let reason), _): return requestTermination(reason)
        case (.markTerminated, .terminating): return [.terminated(.init())]
        case (.markTerminated, .terminated): return []
        case (.markTerminated, _): throw .notAsked
        case (_, .terminated): throw .terminated

        case (.requestStop(let reason), .running): return [.stopRequested(.init(reason: reason))]
        case (.requestStop, _): throw .notRunning
        case (.markStopped, _): return try settle(in: .stopped, after: .stopping, as: .stopped(.init()))
        case (.requestStart(let reason), .stopped): return [.startRequested(.init(reason: reason))]
        case (.requestStart, _): throw .notStopped
        case (.markStarted, _): return try settle(in: .running, after: .starting, as: .started(.init()))
        case (.rollBack(let transition, let reason), _): return rollBack(transition, reason)
        case (.recordBackup(let fact), _): return backup == fact ? [] : [.backedUp(fact)]

        case (.retry, .provisioningFailed): return [.retryRequested(.init(generation: generation + 1))]
        case (.retry, _): throw .notFailed
        case (.markRunning(let fact), _): return try markRunning(fact)
        case (.failProvisioning(let fact), _): return try fail(fact)
        case (.observe(let fact), _): return try observe(fact)

        case (.requestChange(let fact), .running):
            // The same version again would take the place of itself.
            if fact.change == InstanceChange.version, fact.to == requested?.release.version { throw .sameRelease }
            return [.changeRequested(fact)]
        case (.requestChange, .changing): throw .changing
        case (.requestChange, _): throw .notRunning
        case (.recordChanged(let fact), _): return try record(fact)
        case (.rollBackChange(let fact), _): return try rollBack(fact)
        case (.recordRotation(let fact), _): return try rotate(fact)
        case (.deploySlot(let fact), _):
            try require(fact.generation)
            return try deploy(fact)
        case (.moveSlot(let goal, let fact), _):
            try require(fact.generation)
            return try moveSlot(fact, to: goal)
        case (.shiftTraffic(let fact), _):
            try require(fact.generation)
            return try shift(fact)
        case (.recordLease(let fact), _):
            try require(fact.generation)
            return try hand(fact)

        case (.reserveCredentials(let fact), _): return try reserve(fact)
        case (.recordDatabase(let fact), _):
            try require(fact.generation)
            return try record(fact, unless: database) { .databaseProvisioned($0) }
        case (.recordIsolation(let fact), _): return try record(fact, unless: isolation) { .isolationApplied($0) }
        case (.recordWorkload(let fact), _):
            try require(fact.generation)
            return try record(fact, unless: workload) { .workloadRegistered($0) }
        case (.recordHealthy(let fact), _): return try record(fact, unless: healthy) { .becameHealthy($0) }
        case (.publishRoute(let fact), _):
            try require(fact.generation)
            return try record(fact, unless: route) { .routePublished($0) }
        }
    }
}

extension Instance {
    private func request(_ fact: InstanceEvent.Requested) throws(Refusal) -> [InstanceEvent] {
        guard InstanceName(fact.name) != nil else { throw .nameMalformed }
        guard fact.generation == 1 else { throw .generationMalformed }
        return [.requested(fact)]
    }

    /// Refuses what a process of an earlier generation still wants to say.
    private func require(_ generation: Int) throws(Refusal) {
        guard generation == self.generation else { throw .staleGeneration }
    }

    private func reserve(_ fact: InstanceEvent.CredentialsReserved) throws(Refusal) -> [InstanceEvent] {
        try require(fact.generation)
        if credentials == fact { return [] }
        guard stage == .provisioning || stage == .terminating else { throw .notProvisioning }
        guard credentials == nil else { throw .otherCredentials }
        return [.credentialsReserved(fact)]
    }

    /// One more fact about an instance that is made, or is made to change.
    private func record<F: Fact>(
        _ fact: F,
        unless known: F?,
        as event: (F) -> InstanceEvent
    ) throws(Refusal) -> [InstanceEvent] {
        switch stage {
        // What is taken back while it stops or ends is made again, and what was under way before is still recorded.
        case .provisioning, .running, .changing, .starting, .stopping, .terminating:
            return known == fact ? [] : [event(fact)]
        case .absent, .provisioningFailed, .stopped, .terminated: throw .notProvisioning
        }
    }

    private func markRunning(_ fact: InstanceEvent.Running) throws(Refusal) -> [InstanceEvent] {
        try require(fact.generation)
        switch stage {
        case .provisioning: return [.running(fact)]
        case .running, .changing: return []
        // Its termination was asked for while it was provisioned, and comes next.
        case .terminating: return resting == .running ? [] : [.running(fact)]
        case .absent, .provisioningFailed, .stopping, .stopped, .starting, .terminated:
            throw .notProvisioning
        }
    }

    private func fail(_ fact: InstanceEvent.ProvisioningFailed) throws(Refusal) -> [InstanceEvent] {
        try require(fact.generation)
        switch stage {
        case .provisioning: return [.provisioningFailed(fact)]
        case .provisioningFailed: return []
        case .terminating: return resting == .provisioningFailed ? [] : [.provisioningFailed(fact)]
        case .absent, .running, .changing, .stopping, .stopped, .starting, .terminated:
            throw .notProvisioning
        }
    }

    private func record(_ fact: InstanceEvent.Changed) throws(Refusal) -> [InstanceEvent] {
        if stage != .changing, changed == fact { return [] }
        guard stage == .changing || stage == .terminating, let change, change.change == fact.change,
            change.to == fact.to
        else {
            throw .notChanging
        }
        return [.changed(fact)]
    }

    private func rollBack(_ fact: InstanceEvent.ChangeRolledBack) throws(Refusal) -> [InstanceEvent] {
        // Rolled back already; the next change can only have been asked for afterwards.
        if stage == .running || stage == .terminating && change == nil { return [] }
        guard stage == .changing || stage == .terminating, change?.change == fact.change else { throw .notChanging }
        return [.changeRolledBack(fact)]
    }

    private func rotate(_ fact: InstanceEvent.CredentialsReserved) throws(Refusal) -> [InstanceEvent] {
        try require(fact.generation)
        if credentials == fact { return [] }
        guard stage == .changing || stage == .terminating, change?.change == InstanceChange.credentials else {
            throw .notChanging
        }
        guard let credentials, fact.rotation == credentials.rotation + 1 else { throw .otherCredentials }
        return [.credentialsRotated(fact)]
    }

    private func observe(_ fact: InstanceEvent.Observed) throws(Refusal) -> [InstanceEvent] {
        try require(fact.generation)
        return conditions[fact.condition] == fact ? [] : [.observed(fact)]
    }
}
