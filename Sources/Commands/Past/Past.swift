internal import Domain
package import EventStore
package import Kernel

/// What a thing was at a moment: its stream, folded by its write model as far as it had got then.
package struct Past: Sendable {
    /// How a state is folded from the streams of a category that this floor does not know.
    package struct Fold: Sendable {
        fileprivate let tell: @Sendable (Past, StreamName, Moment) async throws(PastError) -> PastState?

        /// - Parameters:
        ///   - initial: What there is before the first event.
        ///   - take: Takes one event in.
        package init<State: Encodable & Sendable>(
            _ initial: State,
            _ take: @escaping @Sendable (inout State, RecordedEvent) throws -> Void
        ) {
            tell = { past, stream, moment throws(PastError) in
                try await past.fold(initial, stream, moment, take) { $0 }
            }
        }
    }

    private let log: any EventLog
    private let folds: [String: Fold]

    /// - Parameters:
    ///   - log: What is read.
    ///   - folds: By category, beside those that are known here.
    package init(log: any EventLog, folds: [String: Fold] = [:]) {
        self.log = log
        self.folds = folds
    }

    /// The state of a stream at a moment.
    ///
    /// - Parameters:
    ///   - stream: Of an organization, a user, a subscription, an instance, an application's releases, the platform, an
    ///     erasure, or of a category that there is a fold for.
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
        case RolloutEvent.category: try await fold(Rollout.self, stream, moment)
        case PlatformEvent.category: try await fold(PlatformKeys.self, stream, moment)
        case ErasureEvent.category: try await Self.erasure.tell(self, stream, moment)
        default: try await fold(of: stream.category).tell(self, stream, moment)
        }
    }

    private func fold(of category: String) throws(PastError) -> Fold {
        guard let fold = folds[category] else { throw .noState(category: category) }
        return fold
    }

    /// An erasure is what its record says.
    private static let erasure = Fold(JSONValue.object([:])) { state, event in
        if let payload = event.payload { state = try JSON.decode(JSONValue.self, from: payload) }
    }

    private func fold<Model: Decider>(
        _: Model.Type,
        _ stream: StreamName,
        _ moment: Moment
    ) async throws(PastError) -> PastState? {
        try await fold(Aggregate<Model>(absent: stream), stream, moment) { aggregate, event in
            try Aggregates.take(event, into: &aggregate)
        } showing: {
            $0.model
        }
    }

    private func fold<State: Sendable, Shown: Encodable>(
        _ initial: State,
        _ stream: StreamName,
        _ moment: Moment,
        _ take: @Sendable (inout State, RecordedEvent) throws -> Void,
        showing shown: @Sendable (State) -> Shown
    ) async throws(PastError) -> PastState? {
        var state = initial
        var last: RecordedEvent?
        var organization: OrganizationID?
        let frontier: Int64
        do throws(LogError) { frontier = try await log.frontier() } catch { throw .log(error) }
        if case .position(let position) = moment, position > frontier {
            throw .notYet("the log has \(frontier) events")
        }
        do throws(LogError) {
            var reader = StreamReader(log: log, stream: stream, through: moment, frontier: frontier)
            while let page = try await reader.next() {
                for event in page {
                    do { try take(&state, event) } catch { throw LogError.violated("\(error)") }
                    last = event
                    organization = event.organization ?? organization
                }
            }
        } catch {
            throw .log(error)
        }
        guard let last else { return nil }
        if case .version(let version) = moment, version > last.version {
            throw .notYet("\(stream) has \(last.version) events")
        }
        do {
            return PastState(
                stream: stream.text,
                version: last.version,
                position: last.position,
                recordedAt: last.recordedAt,
                organization: organization,
                state: try JSON.decode(JSONValue.self, from: JSON.encode(shown(state)))
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
    /// The stream, or the log, has not got so far; the text says how far it is.
    case notYet(String)
    case log(LogError)
}
