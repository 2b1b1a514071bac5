/// What an operator can set about the API.
package struct APISettings: Sendable {
    /// The address to listen on.
    package var host: String
    /// 0 takes any free port.
    package var port: Int
    /// Bytes of the largest body that is taken.
    package var bodyLimit: Int
    /// Origins of web pages that may call the API, like `https://console.example`.
    package var allowedOrigins: [String]
    /// Whether the API is reached over TLS, so that browsers are told to insist on it.
    package var secure: Bool
    /// How long a read waits for the position that the caller wants.
    package var readWait: Duration
    /// The time between comments on a silent stream, so that both ends notice a broken connection.
    package var heartbeat: Duration
    /// How long a feed lasts before its reader has to come back, and to show again who it is.
    package var feedLife: Duration
    /// How often it is looked whether who reads a feed would be let in still.
    package var feedCheck = Duration.seconds(30)
    /// How many of the newest events are kept for all who follow the log; who falls behind them has to come back.
    package var feedEvents: Int
    /// How long a client may take nothing of what is written to it before it is cut off.
    package var writeWait: Duration
    /// How many requests one principal may send; `nil` for as many as they like.
    package var limits: RateLimits?
    /// How long the head of a request may take, from when the connection opens or the answer before has ended.
    package var headWait: Duration
    /// How long a body may take.
    package var bodyWait: Duration
    /// How long a connection may stay open without a request.
    package var idleTimeout: Duration
    /// How long running requests may take at shutdown before they are cut off.
    package var drain: Duration
    /// The share of the traces that begin here which are followed.
    package var traceRatio = 0.0
    /// The domain below which tenants are, once the routes of the older control plane are served; `nil` when they are not.
    package var olderDomain: String?
    /// The files of a web page that is served where no route is; `nil` for none.
    package var files: StaticFiles?

    package init(
        host: String = "127.0.0.1",
        port: Int = 8080,
        bodyLimit: Int = 256 * 1024,
        allowedOrigins: [String] = [],
        secure: Bool = false,
        readWait: Duration = .seconds(5),
        heartbeat: Duration = .seconds(15),
        feedLife: Duration = .seconds(3600),
        feedEvents: Int = 4096,
        writeWait: Duration = .seconds(30),
        limits: RateLimits? = nil,
        headWait: Duration = .seconds(60),
        bodyWait: Duration = .seconds(30),
        idleTimeout: Duration = .seconds(120),
        drain: Duration = .seconds(20)
    ) {
        self.host = host
        self.port = port
        self.bodyLimit = bodyLimit
        self.allowedOrigins = allowedOrigins
        self.secure = secure
        self.readWait = readWait
        self.heartbeat = heartbeat
        self.feedLife = feedLife
        self.feedEvents = feedEvents
        self.writeWait = writeWait
        self.limits = limits
        self.headWait = headWait
        self.bodyWait = bodyWait
        self.idleTimeout = idleTimeout
        self.drain = drain
    }
}
