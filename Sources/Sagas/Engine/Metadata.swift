internal import Kernel

/// What the log keeps of the conversation that an event belongs to.
enum Metadata {
    private struct Content: Decodable {
        var traceparent: String?
    }

    /// The trace context that came in with the command; `nil` when there was none.
    static func traceparent(_ metadata: String) -> String? {
        // Metadata that cannot be read carries no trace; nothing is decided on it.
        (try? JSON.decode(Content.self, from: metadata.utf8))?.traceparent
    }
}
