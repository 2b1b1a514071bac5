internal import Kernel
package import Logging
internal import Metrics

/// A state that snapshots can keep.
package protocol Snapshotable: Codable, Sendable {
    /// Which form it has and what it makes of the same events; raised when either changes, and never 0.
    static var stateVersion: Int16 { get }
}

/// Spares the readers of long streams most of the reading.
///
/// A snapshot is never needed: one that cannot be had, or that is wrong, only means that the stream is read whole.
package final class SnapshotKeeper: Sendable {
    /// Streams of so many events are read whole; of longer ones a state is kept each time so many are new.
    package static let interval: Int64 = 500

    private struct Offer: Sendable {
        var stream: StreamName
        var version: Int64
        var schemaVersion: Int16
        var encode: @Sendable () throws -> [UInt8]
    }

    private let store: any SnapshotStore
    private let logger: Logger
    private let offers = Mailbox<Offer>(limit: .init(items: 64))

    package init(store: any SnapshotStore, logger: Logger = Logger(label: "signalbox.snapshots")) {
        self.store = store
        self.logger = logger
    }

    /// The state that is kept for a stream, and the version that it is the state at.
    package func latest<State: Snapshotable>(
        _: State.Type,
        of stream: StreamName
    ) async -> (version: Int64, state: State)? {
        do throws(LogError) {
            guard let snapshot = try await store.snapshot(of: stream) else { return nil }
            // Another build's; it stays until somebody has a newer one.
            guard snapshot.schemaVersion == State.stateVersion else {
                SnapshotOutcome.refused.count()
                return nil
            }
            do {
                let state = try JSON.decode(State.self, from: snapshot.state)
                SnapshotOutcome.used.count()
                return (snapshot.version, state)
            } catch {
                SnapshotOutcome.refused.count()
                logger.warning(
                    "a snapshot is not what it says and is thrown away",
                    metadata: ["stream": "\(stream)", "error": "\(error)"]
                )
                try await store.discard(snapshot, of: stream)
                return nil
            }
        } catch {
            logger.debug("a snapshot cannot be had", metadata: ["stream": "\(stream)", "error": "\(error)"])
            return nil
        }
    }

    /// Says what a stream has become at a version, to be kept when there is time.
    ///
    /// - Parameters:
    ///   - state: What it has become; it is encoded later, by ``run()``.
    ///   - stream: Whose state it is.
    ///   - version: How many events it has taken in.
    ///   - kept: The version of the last one that the caller knows to be kept; 0 for none.
    /// - Returns: The version of the last one that is kept, or is going to be.
    package func offer<State: Snapshotable>(
        _ state: State,
        of stream: StreamName,
        at version: Int64,
        after kept: Int64
    ) -> Int64 {
        guard version - kept > Self.interval else { return kept }
        let offer = Offer(stream: stream, version: version, schemaVersion: State.stateVersion) {
            try JSON.encode(state)
        }
        guard offers.put(offer) else {
            SnapshotOutcome.lost.count()
            return kept
        }
        return version
    }

    /// Keeps what is offered, until ``close()``.
    package func run() async {
        SnapshotOutcome.announce()
        while let batch = await offers.next({ $0.takeAll() }) {
            for offer in batch { await keep(offer) }
        }
    }

    /// Ends ``run()`` once what was offered is kept.
    package func close() {
        offers.close()
    }

    private func keep(_ offer: Offer) async {
        do {
            let state = try offer.encode()
            let snapshot = Snapshot(version: offer.version, schemaVersion: offer.schemaVersion, state: state)
            let isKept = try await store.keep(snapshot, of: offer.stream)
            (isKept ? SnapshotOutcome.taken : .refused).count()
        } catch {
            SnapshotOutcome.lost.count()
            logger.info("a snapshot was not kept", metadata: ["stream": "\(offer.stream)", "error": "\(error)"])
        }
    }
}

/// What becomes of snapshots: a closed set, for it labels a metric.
enum SnapshotOutcome: String, CaseIterable {
    /// One was kept.
    case taken
    /// A stream was read from one on.
    case used
    /// One was there in another form or damaged, or was not taken: something newer is there, or a payload was erased.
    case refused
    /// One that was due was not kept: too many were waiting, or the database did not answer.
    case lost

    private static let counters = Dictionary(
        uniqueKeysWithValues: allCases.map { outcome in
            (outcome, Counter(label: "signalbox_snapshots_total", dimensions: [("outcome", outcome.rawValue)]))
        }
    )

    /// Has the metric offered from the beginning, as zero.
    static func announce() { _ = counters }

    func count() { Self.counters[self]?.increment() }
}
