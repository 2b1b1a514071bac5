internal import EventStore
internal import Kernel

/// What a ``MemoryLog`` holds, and how it judges; the rules are those of `schema/functions/append.sql`.
struct MemoryState {
    var events: [RecordedEvent] = []
    var claims: [Claim: StreamName] = [:]
    var work: [StreamName: MemoryWork] = [:]
    /// How often something was changed, or tried to be.
    var revision = 0
    private var versions: [StreamName: Int64] = [:]
    private var organizations: [StreamName: OrganizationID] = [:]
    private var commands: [UniqueID: (record: CommandRecord, appended: Appended)] = [:]

    mutating func append(_ request: AppendRequest, at moment: Timestamp) throws(AppendError) -> Appended {
        if let earlier = try earlierAnswer(to: request) { return earlier }
        try judge(request, at: moment)
        let appended = write(request, at: max(moment, events.last?.recordedAt ?? moment))
        if let command = request.command { commands[command.id] = (command, appended) }
        for case .release(let claim, let stream) in request.claims where claims[claim] == stream { claims[claim] = nil }
        for case .take(let claim, for: let stream) in request.claims { claims[claim] = stream }
        let recorded = events.last.map { max(moment, $0.recordedAt) } ?? moment
        for var update in request.work {
            if update.wakeAt == WorkUpdate.atOnce { update.wakeAt = recorded }
            change(update, at: moment)
        }
        return appended
    }

    private func earlierAnswer(to request: AppendRequest) throws(AppendError) -> Appended? {
        if let command = request.command {
            guard let (record, appended) = commands[command.id] else { return nil }
            guard record.requestHash == command.requestHash, record.principal == command.principal else {
                throw .commandReused
            }
            return Appended(
                firstPosition: appended.firstPosition,
                lastPosition: appended.lastPosition,
                versions: [:],
                repeated: record.answer
            )
        }
        // Recognised by its first event, where it was expected to be.
        guard let lead = request.writes.first(where: { !$0.events.isEmpty }), let expected = lead.expected.number,
            let found = events.first(where: { $0.stream == lead.stream && $0.version == expected + 1 }),
            found.id == lead.events.first?.id
        else { return nil }
        let written = request.writes.filter { !$0.events.isEmpty }
        return Appended(
            firstPosition: found.position,
            lastPosition: found.position + Int64(written.reduce(0) { $0 + $1.events.count }) - 1,
            versions: Dictionary(
                uniqueKeysWithValues: written.map { write in
                    (write.stream, (write.expected.number ?? version(write.stream)) + Int64(write.events.count))
                }
            )
        )
    }

    private func version(_ stream: StreamName) -> Int64 { versions[stream] ?? 0 }

    private func judge(_ request: AppendRequest, at moment: Timestamp) throws(AppendError) {
        for update in request.work {
            guard case .holding(let fence) = update.guard else { continue }
            guard holds(update.stream, fence: fence, at: moment) else { throw .fenced }
        }
        for write in request.writes {
            let actual = version(write.stream)
            let holds =
                switch write.expected {
                case .any: true
                case .exists: actual > 0
                case .none: actual == 0
                case .version(let version): actual == version
                }
            guard holds else { throw .conflict(stream: write.stream, expected: write.expected, actual: actual) }
        }
        for case .take(let claim, for: let stream) in request.claims {
            guard let holder = claims[claim], holder != stream else { continue }
            guard request.claims.contains(.release(claim, by: holder)) else { throw .claimed(claim) }
        }
    }

    private mutating func write(_ request: AppendRequest, at moment: Timestamp) -> Appended {
        let first = Int64(events.count) + 1
        var reached: [StreamName: Int64] = [:]
        for write in request.writes where !write.events.isEmpty {
            let organization = organizations[write.stream] ?? write.organization
            organizations[write.stream] = organization
            for event in write.events {
                let version = version(write.stream) + 1
                versions[write.stream] = version
                events.append(
                    RecordedEvent(
                        position: Int64(events.count) + 1,
                        id: event.id,
                        stream: write.stream,
                        organization: organization,
                        version: version,
                        type: event.type,
                        schemaVersion: event.schemaVersion,
                        recordedAt: moment,
                        actor: request.causation.actor,
                        command: request.causation.command,
                        cause: request.causation.cause,
                        correlation: request.causation.correlation,
                        metadata: request.metadata,
                        payload: event.payload
                    )
                )
            }
            reached[write.stream] = version(write.stream)
        }
        let last = Int64(events.count)
        return Appended(firstPosition: last < first ? 0 : first, lastPosition: last, versions: reached)
    }
}

/// One row of leased work.
struct MemoryWork {
    var item: WorkItem
    var priority: Int16
    /// Which row it was: the first is 1.
    var number: Int
    var owner: String?
    var leaseUntil: Timestamp?
    var wakeAt: Timestamp?
    /// When somebody wanted it woken while it was leased.
    var nudgeAt: Timestamp?

    var isActive: Bool { ["running", "waiting", "compensating", "parked"].contains(item.status) }
    var isEnded: Bool { ["completed", "compensated", "abandoned", "superseded"].contains(item.status) }

    func isLeased(at moment: Timestamp) -> Bool { leaseUntil.map { $0 > moment } ?? false }

    mutating func giveBack(dueAt moment: Timestamp?) {
        owner = nil
        leaseUntil = nil
        nudgeAt = nil
        wakeAt = moment
    }

    mutating func take(_ update: WorkUpdate) {
        item.status = update.status
        item.step = update.step
        item.target = update.target
        item.deadline = update.deadline
    }
}

extension MemoryState {
    func holds(_ stream: StreamName, fence: Int64, at moment: Timestamp) -> Bool {
        guard let row = work[stream] else { return false }
        return row.item.fence == fence && row.isLeased(at: moment)
    }

    mutating func claim(
        kinds: [String],
        owner: String,
        limit: Int,
        until end: Timestamp,
        at moment: Timestamp
    ) -> [WorkItem] {
        let due = work.values
            .filter { row in
                kinds.contains(row.item.kind) && !row.isLeased(at: moment) && row.wakeAt.map { $0 <= moment } ?? false
            }
            .sorted { left, right in
                (left.priority, left.wakeAt ?? moment, left.item.stream)
                    < (right.priority, right.wakeAt ?? moment, right.item.stream)
            }
        var taken: [WorkItem] = []
        for var row in due where taken.count < limit {
            let lane = row.item.lane
            if row.item.status == "queued" {
                guard lane.isEmpty || !work.values.contains(where: { $0.item.lane == lane && $0.isActive }) else {
                    continue
                }
                row.item.status = "running"
                for other in work.values
                where !lane.isEmpty && other.item.lane == lane && other.item.status == "queued"
                    && other.item.stream != row.item.stream
                {
                    work[other.item.stream]?.wakeAt = nil
                }
            }
            row.item.claimedAt = moment
            row.item.fence += 1
            row.owner = owner
            row.leaseUntil = end
            row.wakeAt = end
            row.nudgeAt = nil
            work[row.item.stream] = row
            taken.append(row.item)
        }
        return taken
    }

    fileprivate mutating func change(_ update: WorkUpdate, at moment: Timestamp) {
        guard var row = work[update.stream] else {
            guard update.guard == .create else { return }
            var row = MemoryWork(creating: update, number: work.count + 1)
            if isTaken(update.lane) { row.wakeAt = nil }
            work[update.stream] = row
            return
        }
        switch update.guard {
        case .create:
            return
        case .holding:
            row.take(update)
            let keeps = ["running", "compensating"].contains(update.status) && update.wakeAt == nil
            if !keeps {
                row.giveBack(dueAt: row.isEnded ? nil : [update.wakeAt, row.nudgeAt].compactMap(\.self).min())
            }
        case .wake:
            guard !row.isEnded, !(row.item.status == "queued" && isTaken(row.item.lane)) else { return }
            if row.isLeased(at: moment) {
                row.nudgeAt = [update.wakeAt, row.nudgeAt].compactMap(\.self).min()
            } else {
                row.wakeAt = [update.wakeAt, row.wakeAt].compactMap(\.self).min()
            }
        case .seize:
            row.take(update)
            row.item.fence += 1
            row.giveBack(dueAt: update.wakeAt)
        }
        work[update.stream] = row
        if row.isEnded { free(row.item.lane, at: moment) }
    }

    private func isTaken(_ lane: String) -> Bool {
        !lane.isEmpty && work.values.contains { $0.item.lane == lane && $0.isActive }
    }

    /// Whoever waits for the lane is due again, in the order of its beginning.
    private mutating func free(_ lane: String, at moment: Timestamp) {
        for waiting in work.values
        where !lane.isEmpty && waiting.item.lane == lane && waiting.item.status == "queued" && waiting.wakeAt == nil {
            let stream = waiting.item.stream
            work[stream]?.wakeAt = events.first { $0.stream == stream }?.recordedAt ?? moment
        }
    }
}

extension MemoryWork {
    fileprivate init(creating update: WorkUpdate, number: Int) {
        self.number = number
        item = WorkItem(
            stream: update.stream,
            kind: update.kind,
            lane: update.lane,
            status: update.status,
            step: update.step,
            target: update.target,
            fence: 0,
            deadline: update.deadline
        )
        priority = update.priority
        wakeAt = update.wakeAt
    }
}

extension ExpectedVersion {
    /// The version that must be there; `nil` when none in particular.
    fileprivate var number: Int64? {
        switch self {
        case .any, .exists: nil
        case .none: 0
        case .version(let version): version
        }
    }
}
