internal import Kernel
internal import Server

extension APIClient {
    /// For how long a server may be away that is asked again: about as long as one takes to start.
    static let patience = Duration.seconds(30)

    /// One page of a list.
    ///
    /// - Parameters:
    ///   - path: Without a query.
    ///   - wish: Parameters of the query; one without a value is left out.
    ///   - limit: How many, at most.
    /// - Returns: What the server answered.
    /// - Throws: An exit.
    func page<Page: Decodable>(_ path: String, _ wish: [String: String?], limit: Int) async throws -> Page {
        var query = ["limit=\(limit)"]
        for (name, value) in wish.sorted(by: { $0.key < $1.key }) {
            if let value { query.append("\(name)=\(PercentEncoding.encode(value))") }
        }
        let answer = try await send("GET", path + "?" + query.joined(separator: "&"))
        return try JSON.decode(Page.self, from: JSON.encode(answer.body))
    }

    /// Waits until an operation has ended; one that did not complete is a failure.
    ///
    /// - Parameters:
    ///   - operation: Its id.
    ///   - position: Where in the log it began.
    /// - Returns: A position that has everything the operation did before it.
    /// - Throws: An exit that says how it ended instead.
    func finish(_ operation: String, after position: Int64) async throws -> Int64 {
        while true {
            let answer: Answer
            do {
                answer = try await send(
                    "GET",
                    "/v1/operations/\(operation)?min-position=\(position)",
                    headers: ["Prefer": "wait=20"],
                    patience: Self.patience
                )
            } catch {
                // What was accepted goes on, whoever watches.
                Terminal.complain("accepted; look at operation \(operation) later")
                throw error
            }
            switch answer.body["status"]?.string {
            case "completed": return max(answer.position, position)
            case "compensated", "abandoned", "superseded", "parked":
                let problem = answer.body["problem"]
                let reason = problem?["detail"] ?? problem?["message"] ?? problem?["title"]
                throw Exit.failed(
                    "the operation ended \(answer.body["status"]?.string ?? ""): \(reason?.string ?? "")"
                )
            default:
                // A server without Prefer support answers at once: do not spin.
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}
