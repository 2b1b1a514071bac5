/// Work that is not cancelled with the task that waits for it, because it is ended in a gentler way.
enum Unstructured {
    /// Runs `body` to its end, whatever happens to the caller.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
        await Task { await body() }.value
    }
}

/// Text that nobody can guess.
enum RandomText {
    /// Letters and digits from the system's generator, each worth some 5.95 bits.
    static func make(_ length: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] })
    }
}
