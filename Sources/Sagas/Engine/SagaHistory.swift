internal import Domain
internal import EventStore
internal import Kernel

/// A saga as far as it was read, with the means to read on.
struct SagaHistory: Sendable {
    let stream: StreamName
    private(set) var state = SagaState()
    /// The version of the last snapshot of the saga, as far as known.
    private var kept: Int64 = 0
    private static let pageSize = 500

    init(_ stream: StreamName) {
        self.stream = stream
    }

    /// Why a history cannot be read.
    enum Failure: Error {
        case unavailable(String)
        /// A newer build has written to it.
        case newer(String)
        /// It is not what it should be, whoever reads it.
        case unreadable(String)
    }

    /// Reads what was written since.
    mutating func refresh(_ log: any EventLog, _ snapshots: SnapshotKeeper?) async throws(Failure) {
        var page: [RecordedEvent]
        repeat {
            page = try await read(log)
            // A stream that is not read in one go may be a long one.
            if page.count == Self.pageSize, state.version == 0,
                let found = await snapshots?.latest(SagaState.self, of: stream)
            {
                (kept, state) = found
                continue
            }
            for event in page { try take(event) }
        } while page.count == Self.pageSize
        if let snapshots { kept = snapshots.offer(state, of: stream, at: state.version, after: kept) }
        guard state.started != nil else { throw .unreadable("\(stream) has no beginning") }
    }

    /// Takes in what was just written to it.
    mutating func take(_ events: [SagaEvent], at moment: Timestamp, version: Int64, last: UniqueID?) {
        for event in events { state.evolve(event, at: moment) }
        state.advance(to: version, last: last)
    }

    private func read(_ log: any EventLog) async throws(Failure) -> [RecordedEvent] {
        do throws(LogError) {
            return try await log.read(stream, after: state.version, limit: Self.pageSize)
        } catch {
            switch error {
            case .unavailable(let why): throw .unavailable(why)
            case .violated(let what): throw .unreadable(what)
            }
        }
    }

    private mutating func take(_ event: RecordedEvent) throws(Failure) {
        do {
            try state.evolve(event)
        } catch is UnknownSchemaVersion {
            throw .newer("\(event.stream) \(event.version) was written by a newer build")
        } catch {
            throw .unreadable("\(event.stream) \(event.version) cannot be read as \(event.type)")
        }
    }
}
