internal import Domain
package import EventStore
package import Kernel

/// What a thing was at a moment: its stream, folded by its write model as far as it had got then.
package struct Past: Sendable {
    private let log: any EventLog

    package init(log: any EventLog) {
        self.log = log
    }

    /// The state of a stream at a moment.
    ///
    /// - Parameters:
    ///   - stream: Of an organization, a user, a subscription, an instance, an application's releases or the platform.
    ///   - moment: When.
    /// - Returns: The state; `nil` when the stream had no event then.
    /// - Throws: ``PastError``.
    package func state(of stream: StreamName, at moment: Moment) async throws(PastError) -> PastState? {
        switch stream.category {
        case OrganizationEvent.category: try await fold(Organization.self, stream, moment)
        case UserEvent.category: try await fold(User.self, stream, moment)
        case SubscriptionEvent.category: try await fold(Subscription.self, stream, moment)
        case InstanceEvent.category: try await fold(Instance.self, stream, moment)
        case ReleaseEvent.category: try await fold(Release.self, stream, moment)
        case PlatformEvent.category: try await fold(PlatformKeys.self, stream, moment)
        default: throw .noState(category: stream.category)
        }
    }

    private func fold<Model: Decider>(
        _: Model.Type,
        _ stream: StreamName,
        _ moment: Moment
    ) async throws(PastError) -> PastState? {
        var aggregate = Aggregate<Model>(absent: stream)
        var last: RecordedEvent?
        do throws(LogError) {
            var reader = StreamReader(
                log: log,
                stream: stream,
                through: moment,
                frontier: try await log.frontier()
            )
            while let page = try await reader.next() {
                for event in page {
                    do throws(CommandError) { try Aggregates.take(event, into: &aggregate) } catch {
                        throw LogError.violated("\(error)")
                    }
                    last = event
                }
            }
        } catch {
            throw .log(error)
        }
        guard let last else { return nil }
        do {
            return PastState(
                stream: stream.text,
                version: last.version,
                position: last.position,
                recordedAt: last.recordedAt,
                organization: aggregate.organization,
                state: try JSON.decode(JSONValue.self, from: JSON.encode(aggregate.model))
            )
        } catch {
            throw .log(.violated("the state of \(stream) is no JSON: \(error)"))
        }
    }
}

/// What a thing was.
package struct PastState: Sendable, Equatable {
    package var stream: String
    /// The version that the stream had.
    package var version: Int64
    /// Where the event is that made it so.
    package var position: Int64
    /// When that event was recorded.
    package var recordedAt: Timestamp
    package var organization: OrganizationID?
    /// The write model, as JSON.
    package var state: JSONValue

    package init(
        stream: String,
        version: Int64,
        position: Int64,
        recordedAt: Timestamp,
        organization: OrganizationID?,
        state: JSONValue
    ) {
        self.stream = stream
        self.version = version
        self.position = position
        self.recordedAt = recordedAt
        self.organization = organization
        self.state = state
    }
}

/// Why a past state cannot be told.
package enum PastError: Error, Equatable, Sendable {
    /// Streams of this category have no write model.
    case noState(category: String)
    case log(LogError)
}
