internal import Hummingbird
internal import HummingbirdCore
package import Kernel
package import Logging
internal import NIOCore
internal import ServiceLifecycle

/// The HTTP API as a service: listens, answers, and at a graceful shutdown lets running requests finish.
package struct APIServer: Service {
    private let application: Application<Dispatcher>
    private let drain: Duration
    /// Feeds everybody who follows the log.
    private let feed: @Sendable () async -> Void
    private let closeFeeds: @Sendable () -> Void

    /// Ready to listen.
    ///
    /// - Parameters:
    ///   - backend: The rest of the plane.
    ///   - settings: Where to listen and what to allow.
    ///   - version: The version of the build, for the OpenAPI document.
    ///   - edgeToken: What the edge router sends; `nil` closes its route.
    ///   - ids: Time and chance.
    ///   - logger: Takes a line for everything that goes wrong on our side.
    ///   - onRunning: Called once with the port that requests are taken on.
    package init(
        backend: Backend,
        settings: APISettings,
        version: String,
        edgeToken: String?,
        ids: IDSource = .system,
        logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        let api = API(backend: backend, settings: settings, ids: ids)
        self.application = Application(
            responder: Dispatcher(api, version: version, edgeToken: edgeToken),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        RequestDeadline(
                            head: .nanoseconds(settings.headWait.microseconds * 1000),
                            body: .nanoseconds(settings.bodyWait.microseconds * 1000)
                        ),
                        WriteDeadline(.nanoseconds(settings.writeWait.microseconds * 1000)),
                    ],
                    idleTimeout: .nanoseconds(settings.idleTimeout.microseconds * 1000)
                )
            ),
            configuration: .init(address: .hostname(settings.host, port: settings.port), serverName: "signalbox"),
            onServerRunning: { channel in
                await onRunning(channel.localAddress?.port ?? settings.port)
            },
            logger: logger
        )
        self.drain = settings.drain
        self.feed = { await api.feeds.run(backend.events, heartbeat: settings.heartbeat, logger: logger) }
        self.closeFeeds = { api.feeds.close() }
    }

    /// Returns after a graceful shutdown, when the last request is answered or the time to drain is over.
    package func run() async throws {
        let (application, drain, feed, closeFeeds) = (application, drain, feed, closeFeeds)
        try await withThrowingTaskGroup(of: Void.self) { feeding in
            feeding.addTask { await feed() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await application.run() }
                group.addTask {
                    try await gracefulShutdown()
                    closeFeeds()
                    try await Task.sleep(for: drain)
                }
                // Whichever is first: the last answer, or the end of the patience with it.
                try await group.next()
                group.cancelAll()
            }
            feeding.cancelAll()
        }
    }
}

extension Dispatcher {
    /// The dispatcher of the whole API.
    package init(backend: Backend, settings: APISettings, version: String, edgeToken: String?, ids: IDSource = .system)
    {
        self.init(API(backend: backend, settings: settings, ids: ids), version: version, edgeToken: edgeToken)
    }

    /// The dispatcher of an API.
    init(_ api: API, version: String, edgeToken: String?) {
        ServerMetrics.begin()
        self.init(
            table: api.table(version: version),
            gate: Gate(
                authenticate: { text throws(Problem) in try await api.authenticate(text) },
                sessions: api.sessionGate,
                edgeToken: edgeToken
            ),
            settings: api.settings,
            ids: api.ids,
            refused: api.backend.refusals.record,
            served: api.backend.plane.served
        )
    }
}
