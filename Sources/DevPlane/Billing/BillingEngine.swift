internal import Kernel
package import Logging
internal import ServiceLifecycle

/// A billing engine for one machine, with the calls, states, spellings and quirks of the real one.
///
/// What it has been told survives a restart.
package struct BillingEngine: Service {
    /// A price that exists from the start, with its product.
    package struct SeedPrice: Sendable, Equatable {
        /// `team-monthly`.
        package var code: String
        /// What people call it.
        package var name: String
        /// ISO 4217.
        package var currency: String
        /// Minor units a month.
        package var amount: Int64
        package var metadata: [String: String]

        package init(code: String, name: String, currency: String, amount: Int64, metadata: [String: String] = [:]) {
            self.code = code
            self.name = name
            self.currency = currency
            self.amount = amount
            self.metadata = metadata
        }
    }

    /// What a billing engine is made of.
    package struct Configuration: Sendable {
        /// The folder of its state, like `.signalbox/billing`.
        package var directory: String
        /// Preferred; another free one is taken when it is not free, or 0.
        package var port: Int
        /// The key every request must carry as `Authorization: Bearer`.
        package var apiKey: String
        package var prices: [SeedPrice]
        /// How many requests it takes in ten minutes; the real one takes 1,000.
        package var requestLimit: Int?
        /// How many customers it takes.
        package var customerQuota: Int?
        /// Whether keys may change the items of a subscription; the real one lets none do that.
        package var grantsItemChanges = false

        package init(directory: String, port: Int = 0, apiKey: String, prices: [SeedPrice]) {
            self.directory = directory
            self.port = port
            self.apiKey = apiKey
            self.prices = prices
        }
    }

    private let configuration: Configuration
    private let faults: Faults
    private let logger: Logger
    private let listening = Once<Int>()

    package init(_ configuration: Configuration, faults: Faults = Faults(), logger: Logger = Logger(label: "billing")) {
        self.configuration = configuration
        self.faults = faults
        self.logger = logger
    }

    /// The port it listens on, as soon as it does.
    ///
    /// - Throws: `CancellationError`, also when it ends before it listens.
    package var port: Int {
        get async throws { try await listening.value }
    }

    /// Serves until it is cancelled or told to shut down.
    ///
    /// - Throws: What keeps it from reading or writing its state, or from listening.
    package func run() async throws {
        defer { listening.set(.failure(CancellationError())) }
        let store = try BillingStore(configuration, ids: .system)
        try await store.begin(with: configuration.prices)
        let routes = BillingRoutes(store: store, configuration: configuration, ids: .system)
        let server = LocalServer(
            port: configuration.port,
            faults: faults,
            logger: logger,
            onListening: { [listening] in listening.set($0) },
            answer: { await routes.answer($0) }
        )
        try await server.run()
    }
}
