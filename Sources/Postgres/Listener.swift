/// What a channel says, for as long as one listens: `LISTEN` on a connection of its own, made anew whenever it is lost.
///
/// A notification is a wake-up, never the carrier of a fact: whatever was sent while there was no connection is gone, so
/// every ``Element/listening`` means "read again". Nothing is buffered on this side; elements are pulled from the socket.
/// The sequence ends when the task is cancelled, and only then.
package struct Listener: AsyncSequence, Sendable {
    /// One thing heard.
    package enum Element: Sendable, Equatable {
        /// From now on nothing is missed; before, anything may have been.
        case listening
        /// Someone committed a `NOTIFY`.
        case notification(channel: String, payload: String)
    }

    private let settings: ConnectionSettings
    private let channels: [String]

    /// - Parameters:
    ///   - conninfo: A libpq connection string or URI.
    ///   - channels: The names to listen to.
    ///   - role: Who to become after the login.
    ///   - applicationName: What `pg_stat_activity` shows.
    ///   - limits: How long to wait for what; waiting for a notification has no limit.
    package init(
        conninfo: String,
        channels: [String],
        role: String? = nil,
        applicationName: String = "signalbox-listen",
        limits: SessionLimits = SessionLimits()
    ) {
        settings = ConnectionSettings(conninfo: conninfo, role: role, applicationName: applicationName, limits: limits)
        self.channels = channels
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(settings: settings, channels: channels)
    }

    /// One listener's connection and patience.
    package struct Iterator: AsyncIteratorProtocol {
        private static let firstPause = Duration.milliseconds(50)
        private static let longestPause = Duration.seconds(5)

        private let settings: ConnectionSettings
        private let channels: [String]
        private var connection: Connection?
        private var pause = Iterator.firstPause

        fileprivate init(settings: ConnectionSettings, channels: [String]) {
            self.settings = settings
            self.channels = channels
        }

        /// Waits for the next thing heard; `nil` when the task was cancelled.
        package mutating func next() async -> Element? {
            await next(isolation: nil)
        }

        /// Waits for the next thing heard; `nil` when the task was cancelled.
        package mutating func next(isolation actor: isolated (any Actor)?) async -> Element? {
            while !Task.isCancelled {
                do throws(PostgresError) {
                    if let connection {
                        return try await connection.notification()
                    }
                    let fresh = try await Connection.open(settings)
                    try await fresh.listen(channels)
                    connection = fresh
                    pause = Self.firstPause
                    return .listening
                } catch {
                    connection = nil
                    // A lost connection is tried again at once, then ever more rarely; jitter keeps a fleet apart.
                    do {
                        try await Task.sleep(for: pause * Double.random(in: 0.5...1))
                    } catch {
                        return nil
                    }
                    pause = Swift.min(pause * 2, Self.longestPause)
                }
            }
            return nil
        }
    }
}

extension Connection {
    fileprivate func listen(_ channels: [String]) throws(PostgresError) {
        for channel in channels { try script("LISTEN \(SQL.quoted(identifier: channel))") }
    }

    /// Waits until a notification arrives; throws `cancelled` with the task.
    fileprivate func notification() throws(PostgresError) -> Listener.Element {
        try withSession { session throws(PostgresError) in try session.notification() }
    }
}
