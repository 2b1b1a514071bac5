internal import Metrics
internal import Server

/// The one place where this process's metrics come together.
enum Metering {
    /// Installed at the first use, because the metrics library takes a factory once.
    static let registry: MetricsRegistry = {
        let registry = MetricsRegistry()
        MetricsSystem.bootstrap(registry)
        return registry
    }()
}
