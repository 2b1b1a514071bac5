internal import Platform

/// What an answer of Nomad that is not 2xx means.
///
/// Nomad says most of what it refuses with 500 and a line of text, so the text decides; it is matched by what it
/// contains, because a follower puts `rpc error: ` in front (`command/agent/http.go`, `nomad/rpc.go`).
enum NomadRefusal {
    /// The table of what is known, the status first, then the text.
    ///
    /// - Parameters:
    ///   - answer: One whose status is not 2xx.
    ///   - changes: Whether the request was to change something.
    ///   - quotable: Whether the text may be shown; answers about variables may not.
    /// - Returns: What the caller may conclude.
    static func portError(_ answer: HTTPAnswer, changes: Bool, quotable: Bool = true) -> PortError {
        let text = answer.text.lowercased()
        let message = "nomad: " + (quotable ? excerpt(answer.text) : "status \(answer.status)")
        func holds(_ words: [String]) -> Bool { words.contains { text.contains($0) } }

        switch answer.status {
        case 429:
            return .transient(code: "nomad.busy", message: message, retryAfter: answer.retryAfter)
        case 403, 401:
            return .blocked(code: "nomad.rights", message: message)
        case 404:
            return .conflict(code: "nomad.not-found", message: message)
        case 409:
            return .conflict(code: "nomad.conflict", message: message)
        case 400..<500:
            return .permanent(code: "nomad.\(answer.status)", message: message)
        case 500:
            break
        default:
            return unwell(message, changes)
        }
        if holds(["enforcing job modify index", "current job has version", "cas error"]) {
            return .conflict(code: "nomad.conflict", message: message)
        }
        if holds(["permission denied", "acl token not found", "disabled by the scheduler configuration"]) {
            return .blocked(code: "nomad.rights", message: message)
        }
        if holds([
            "no cluster leader", "not ready to serve consistent reads", "node is not the leader", "no path to region",
        ]) {
            return .transient(code: "nomad.no-leader", message: message)
        }
        // Told in the words of a list of errors, like what is wrong with a job for good.
        if text.contains("healthy allocations") {
            return .pending(code: "nomad.not-yet", message: message)
        }
        if holds(invalid) {
            return .permanent(code: "nomad.refused", message: message)
        }
        if holds(["terminal deployment", "deployment not found"]) {
            return .conflict(code: "nomad.moved", message: message)
        }
        return unwell(message, changes)
    }

    private static let invalid = [
        "error(s) occurred:", "errors occurred:", "error occurred:", "validation failed", "cannot update",
        "unsupported attribute", "nonexistent namespace", "priority must be", "mismatched request namespace",
        "can't revert",
    ]

    /// Raft may have committed what it could not answer for.
    private static func unwell(_ message: String, _ changes: Bool) -> PortError {
        changes
            ? .unknown(code: "nomad.unwell", message: message)
            : .transient(code: "nomad.unwell", message: message)
    }

    /// One line of at most 300 characters.
    private static func excerpt(_ text: String) -> String {
        let line = String(text.map { $0.isNewline || $0 == "\t" || $0 == "\0" ? " " : $0 })
        return line.count > 300 ? line.prefix(299) + "…" : line
    }
}
