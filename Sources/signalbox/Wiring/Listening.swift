/// Where the API listens, for those who wait for it.
actor Listening {
    private var outcome: Result<Int, any Error>?
    private var waiting: [CheckedContinuation<Int, any Error>] = []

    func port() async throws -> Int {
        if let outcome { return try outcome.get() }
        return try await withCheckedThrowingContinuation { waiting.append($0) }
    }

    func opened(_ port: Int) { settle(.success(port)) }

    /// The server has ended; whoever still waits will never see it open, and learns why.
    func ended(_ outcome: Result<Void, any Error>) {
        switch outcome {
        case .success: settle(.failure(CancellationError()))
        case .failure(let error): settle(.failure(error))
        }
    }

    private func settle(_ result: Result<Int, any Error>) {
        guard outcome == nil else { return }
        outcome = result
        for continuation in waiting { continuation.resume(with: result) }
        waiting = []
    }
}
