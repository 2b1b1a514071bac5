internal import Synchronization

/// What a test makes an embedded service do wrong, so that its clients can be watched coping.
package final class Faults: Sendable {
    /// One way to go wrong.
    package enum Fault: Sendable, Equatable {
        /// The request is carried out, and then the connection is cut instead of answering.
        case dropAnswer
        /// Nothing is carried out; this status and text are the answer.
        case refuse(status: Int, body: String, headers: [String: String] = [:])
        /// The request waits before it is carried out.
        case delay(Duration)
    }

    private struct Rule {
        var method: String
        var path: String
        var fault: Fault
        var left: Int
    }

    private let rules = Mutex<[Rule]>([])

    package init() {}

    /// Makes the next `times` requests of this method, whose path contains `path`, go wrong.
    ///
    /// - Parameters:
    ///   - fault: What goes wrong.
    ///   - method: Upper case; `*` for any.
    ///   - path: Any part of the path, e.g. `/activate`.
    ///   - times: How often.
    package func add(_ fault: Fault, method: String = "*", path: String, times: Int = 1) {
        rules.withLock { $0.append(Rule(method: method, path: path, fault: fault, left: times)) }
    }

    /// Nothing goes wrong any more.
    package func clear() {
        rules.withLock { $0 = [] }
    }

    /// The fault of this request, used up by asking.
    func take(method: String, path: String) -> Fault? {
        rules.withLock { rules in
            let found = rules.firstIndex { rule in
                (rule.method == "*" || rule.method == method) && path.contains(rule.path)
            }
            guard let found else { return nil }
            rules[found].left -= 1
            let fault = rules[found].fault
            if rules[found].left < 1 { rules.remove(at: found) }
            return fault
        }
    }
}
