internal import Commands
internal import Domain
package import EventStore
internal import Kernel
internal import Platform

/// What the log knows at the moment of a step: a saga may have waited long for its turn, and much can have happened.
package struct Records: Sendable {
    let log: any EventLog
    private let aggregates: Aggregates

    /// Makes the view of one log.
    package init(log: any EventLog) {
        self.log = log
        self.aggregates = Aggregates(log: log)
    }

    func instance(_ id: InstanceID) async throws(PortError) -> Instance {
        try await load(Instance.self, Streams.instance(id))
    }

    func subscription(_ id: SubscriptionID) async throws(PortError) -> Subscription {
        try await load(Subscription.self, Streams.subscription(id))
    }

    func organization(_ id: OrganizationID) async throws(PortError) -> Organization {
        try await load(Organization.self, Streams.organization(id))
    }

    func releases(of application: String) async throws(PortError) -> Release {
        try await load(Release.self, Streams.release(application))
    }

    func rollout(_ id: RolloutID) async throws(PortError) -> Rollout {
        try await load(Rollout.self, Streams.rollout(id))
    }

    /// How long a roll-out has been paused between two moments.
    func pauses(
        of id: RolloutID,
        since start: Timestamp,
        until end: Timestamp
    ) async throws(PortError) -> Duration {
        let events: [RecordedEvent]
        do throws(LogError) {
            events = try await log.readAll(Streams.rollout(id))
        } catch { throw .unread(error) }
        var (sum, since) = (Duration.zero, Timestamp?.none)
        for event in events {
            switch RolloutEvent.Name(rawValue: event.type) {
            // A pause of the roll-out's own may come on top of an operator's.
            case .paused: since = since ?? max(start, event.recordedAt)
            case .resumed:
                if let begun = since { sum += max(.zero, min(end, event.recordedAt) - begun) }
                since = nil
            default: break
            }
        }
        return sum + (since.map { max(.zero, end - $0) } ?? .zero)
    }

    /// Everything that an organization, or anybody, ever asked for, in order.
    func instances(of organization: OrganizationID?) async throws(PortError) -> [InstanceID] {
        var found: [InstanceID] = []
        var position: Int64 = 0
        let filter = EventFilter(types: [InstanceEvent.Name.requested.rawValue], organization: organization)
        while true {
            let page: EventPage
            do throws(LogError) {
                page = try await log.read(after: position, through: nil, matching: filter, limit: 500)
            } catch { throw .unread(error) }
            found += page.events.compactMap { InstanceID($0.stream.id) }
            guard page.scannedTo > position else { return found }
            position = page.scannedTo
        }
    }

    private func load<Model: Decider>(_ model: Model.Type, _ stream: StreamName) async throws(PortError) -> Model {
        do throws(CommandError) {
            return try await aggregates.load(model, from: stream).model
        } catch {
            guard case .unavailable = error else {
                throw .blocked(code: "log-unreadable", message: "\(stream) cannot be read")
            }
            throw .transient(code: "log-unavailable", message: "the log does not answer")
        }
    }
}

extension PortError {
    static func unread(_ error: LogError) -> PortError {
        switch error {
        case .unavailable: .transient(code: "log-unavailable", message: "the log does not answer")
        case .violated: .blocked(code: "log-unreadable", message: "the log cannot be read")
        }
    }
}

extension ProvisioningPorts {
    /// The log as steps look at it.
    func recorded() throws(PortError) -> Records {
        guard let records else { throw .blocked(code: "no-log", message: "this process has no log") }
        return records
    }
}
