internal import Kernel

extension APIClient {
    /// For how long a server may be away that is asked again: about as long as one takes to start.
    static let patience = Duration.seconds(30)

    /// Waits until an operation has ended; one that did not complete is a failure.
    ///
    /// - Parameters:
    ///   - operation: Its id.
    ///   - position: Where in the log it began.
    /// - Throws: An exit that says how it ended instead.
    func finish(_ operation: String, after position: Int64) async throws {
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
            case "completed": return
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
