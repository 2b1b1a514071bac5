package import Metrics
internal import Synchronization

/// Everything that is counted and measured in this process, given out in the text formats of Prometheus and OpenMetrics.
///
/// The labels of a metric are a closed set: routes and kinds, never ids.
package final class MetricsRegistry: MetricsFactory, Sendable {
    /// A name and its labels.
    struct Key: Hashable, Comparable {
        var name: String
        var labels: String

        static func < (left: Key, right: Key) -> Bool { (left.name, left.labels) < (right.name, right.labels) }
    }

    private struct Series: Sendable {
        var counters: [Key: Double] = [:]
        var gauges: [Key: Double] = [:]
        var timings: [Key: Histogram] = [:]
    }

    private let series = Mutex(Series())

    package init() {}

    /// Begins at 0 at once: what has not happened yet is told apart from what is not counted.
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let key = Self.key(label, dimensions)
        count(key, 0)
        return Count(self, key)
    }

    package func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        let key = Self.key(label, dimensions)
        count(key, 0)
        return Count(self, key)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        Gauge(self, Self.key(label, dimensions))
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        Gauge(self, Self.key(label, dimensions))
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let key = Self.key(label, dimensions)
        series.withLock { $0.timings[key] = $0.timings[key] ?? Histogram() }
        return Gauge(self, key)
    }

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    fileprivate func count(_ key: Key, _ amount: Double) {
        series.withLock { $0.counters[key, default: 0] += amount }
    }

    fileprivate func reset(_ key: Key) {
        series.withLock { $0.counters[key] = 0 }
    }

    fileprivate func set(_ key: Key, _ value: Double) {
        series.withLock { $0.gauges[key] = value }
    }

    fileprivate func add(_ key: Key, _ amount: Double) {
        series.withLock { $0.gauges[key, default: 0] += amount }
    }

    fileprivate func observe(_ key: Key, seconds: Double) {
        series.withLock { $0.timings[key, default: Histogram()].observe(seconds) }
    }

    /// The metrics as Prometheus' text format, version 0.0.4: grouped by name, the same order every time.
    package var text: String { written(.prometheus) }

    /// The metrics as OpenMetrics 1.0: counters are named without their `_total`, and an end is told from a break.
    package var openMetrics: String { written(.openMetrics) + "# EOF\n" }

    private enum Format {
        case prometheus, openMetrics
    }

    private func written(_ format: Format) -> String {
        let series = series.withLock { $0 }
        var text = ""
        Self.write(series.counters, as: "counter", format, to: &text)
        Self.write(series.gauges, as: "gauge", format, to: &text)
        var last: String?
        for (key, histogram) in series.timings.sorted(by: { $0.key < $1.key }) {
            if key.name != last { text += Self.head(key.name, key.name, "histogram") }
            last = key.name
            text += histogram.text(key)
        }
        return text
    }

    private static func write(_ values: [Key: Double], as type: String, _ format: Format, to text: inout String) {
        var last: String?
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            if key.name != last {
                let isCounter = format == .openMetrics && type == "counter" && key.name.hasSuffix("_total")
                text += head(key.name, isCounter ? String(key.name.dropLast("_total".count)) : key.name, type)
            }
            last = key.name
            text += "\(key.name)\(key.labels.isEmpty ? "" : "{\(key.labels)}") \(number(value))\n"
        }
    }

    /// What comes before the first sample of a family; the texts have nothing in them that would have to be escaped.
    private static func head(_ name: String, _ family: String, _ type: String) -> String {
        (MetricHelp.texts[name].map { "# HELP \(family) \($0)\n" } ?? "") + "# TYPE \(family) \(type)\n"
    }

    static func number(_ value: Double) -> String {
        Int64(exactly: value).map(String.init) ?? String(value)
    }

    private static func key(_ label: String, _ dimensions: [(String, String)]) -> Key {
        let name = String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" ? $0 : "_" })
        let labels = dimensions.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",")
        return Key(name: name, labels: labels)
    }

    private static func escaped(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
    }
}

/// Durations in buckets from 1 ms to 10 s.
struct Histogram: Sendable {
    static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private var counts = [Int64](repeating: 0, count: bounds.count)
    private var count: Int64 = 0
    private var sum = 0.0

    mutating func observe(_ seconds: Double) {
        for (index, bound) in Self.bounds.enumerated() where seconds <= bound { counts[index] += 1 }
        count += 1
        sum += seconds
    }

    func text(_ key: MetricsRegistry.Key) -> String {
        let labels = key.labels.isEmpty ? "" : key.labels + ","
        var text = ""
        for (bound, count) in zip(Self.bounds, counts) {
            text += "\(key.name)_bucket{\(labels)le=\"\(bound)\"} \(count)\n"
        }
        let suffix = key.labels.isEmpty ? "" : "{\(key.labels)}"
        text += "\(key.name)_bucket{\(labels)le=\"+Inf\"} \(count)\n"
        text += "\(key.name)_sum\(suffix) \(sum)\n"
        text += "\(key.name)_count\(suffix) \(count)\n"
        return text
    }
}

/// One counter as the code that counts sees it.
private final class Count: CounterHandler, FloatingPointCounterHandler {
    private let registry: MetricsRegistry
    private let key: MetricsRegistry.Key

    init(_ registry: MetricsRegistry, _ key: MetricsRegistry.Key) {
        self.registry = registry
        self.key = key
    }

    func increment(by amount: Int64) { registry.count(key, Double(amount)) }
    func increment(by amount: Double) { registry.count(key, amount) }
    func reset() { registry.reset(key) }
}

/// One measured value as the code that measures sees it.
private final class Gauge: MeterHandler, RecorderHandler, TimerHandler {
    private let registry: MetricsRegistry
    private let key: MetricsRegistry.Key

    init(_ registry: MetricsRegistry, _ key: MetricsRegistry.Key) {
        self.registry = registry
        self.key = key
    }

    func set(_ value: Int64) { registry.set(key, Double(value)) }
    func set(_ value: Double) { registry.set(key, value) }
    func increment(by amount: Double) { registry.add(key, amount) }
    func decrement(by amount: Double) { registry.add(key, -amount) }
    func record(_ value: Int64) { registry.set(key, Double(value)) }
    func record(_ value: Double) { registry.set(key, value) }
    func recordNanoseconds(_ duration: Int64) { registry.observe(key, seconds: Double(duration) / 1_000_000_000) }
}
