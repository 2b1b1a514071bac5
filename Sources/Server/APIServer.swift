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
        self.application = Application(
            responder: Dispatcher(
                backend: backend,
                settings: settings,
                version: version,
                edgeToken: edgeToken,
                ids: ids
            ),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        RequestDeadline(
                            head: .nanoseconds(settings.headWait.microseconds * 1000),
                            body: .nanoseconds(settings.bodyWait.microseconds * 1000)
                        )
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
    }

    /// Returns after a graceful shutdown, when the last request is answered or the time to drain is over.
    package func run() async throws {
        let (application, drain) = (application, drain)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            group.addTask {
                try await gracefulShutdown()
                try await Task.sleep(for: drain)
            }
            // Whichever is first: the last answer, or the end of the patience with it.
            try await group.next()
            group.cancelAll()
        }
    }
}

extension Dispatcher {
    /// The dispatcher of the whole API.
    package init(backend: Backend, settings: APISettings, version: String, edgeToken: String?, ids: IDSource = .system)
    {
        let api = API(backend: backend, settings: settings, ids: ids)
        self.init(
            table: api.table(version: version),
            gate: Gate(
                authenticate: { text throws(Problem) in try await api.authenticate(text) },
                edgeToken: edgeToken
            ),
            settings: settings,
            ids: ids,
            refused: backend.refusals.record
        )
    }
}
