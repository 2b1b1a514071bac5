internal import Kernel
internal import Platform

/// What an answer of the billing engine that is not 2xx means.
enum BillingRefusal {
    /// The first code of a validation error; empty when there is none.
    static func code(_ answer: HTTPAnswer) -> String {
        answer.json?["error"]?["errors"]?.array?.first?["code"]?.string ?? ""
    }

    /// Sorts by status; the body's own message stays out, it may quote what was sent.
    static func portError(_ answer: HTTPAnswer, changes: Bool) -> PortError {
        let detail = code(answer)
        let type = answer.json?["error"]?["type"]?.string ?? ""
        let words = [String(answer.status), type, detail].filter { !$0.isEmpty }
        let message = "billing: " + words.joined(separator: " ")
        let name = "billing." + (detail.isEmpty ? (type.isEmpty ? String(answer.status) : type) : detail)
        switch answer.status {
        // Rights and configuration are for a person to change; so is a used-up quota.
        case 401, 402, 403, 428: return .blocked(code: name, message: message)
        case 409: return .conflict(code: name, message: message)
        case 429, 503: return .transient(code: name, message: message, retryAfter: answer.retryAfter)
        case 400..<500: return .permanent(code: name, message: message)
        // 500 is also what a race of two equal keys ends in; the same key again finds what the first one made.
        default:
            return changes ? .unknown(code: name, message: message) : .transient(code: name, message: message)
        }
    }
}
