internal import HTTPTypes
internal import Kernel
internal import Metrics
internal import Synchronization

/// What is counted of requests, under our own names and under those that dashboards of older systems ask for.
enum HTTPMeters {
    private struct Answered: Hashable {
        var method: String
        var route: String
        var status: Int
    }

    /// Made once for each kind of answer: to look for them in the registry costs more than to count.
    private struct Meters {
        var ours: Counter
        var oursTook: Timer
        var older: Counter
        var olderTook: Timer
    }

    private static let meters = Mutex<[Answered: Meters]>([:])
    private static let inFlight = Meter(label: "http_requests_in_flight")

    /// A request has come.
    static func begin() { inFlight.increment(by: 1) }

    /// Its answer is about to be written.
    static func end() { inFlight.decrement(by: 1) }

    /// Counts an answer.
    ///
    /// - Parameters:
    ///   - method: As in the request, or `other`.
    ///   - route: The route's pattern: ids must not become labels.
    ///   - status: Of the answer.
    ///   - took: From the head of the request to the answer.
    static func count(_ method: String, _ route: String, _ status: HTTPResponse.Status, took: Duration) {
        let meters = meters.withLock { all in
            let key = Answered(method: method, route: route, status: status.code)
            if let known = all[key] { return known }
            let made = make(key)
            all[key] = made
            return made
        }
        meters.ours.increment()
        meters.oursTook.recordNanoseconds(took.microseconds * 1000)
        meters.older.increment()
        meters.olderTook.recordNanoseconds(took.microseconds * 1000)
    }

    private static func make(_ key: Answered) -> Meters {
        let place = [("method", key.method), ("path", key.route)]
        return Meters(
            ours: Counter(
                label: "signalbox_http_requests_total",
                dimensions: [("method", key.method), ("route", key.route), ("status", "\(key.status / 100)xx")]
            ),
            oursTook: Timer(label: "signalbox_http_request_seconds", dimensions: [("route", key.route)]),
            older: Counter(label: "http_requests_total", dimensions: place + [("status", "\(key.status)")]),
            olderTook: Timer(label: "http_request_duration_seconds", dimensions: place)
        )
    }
}
