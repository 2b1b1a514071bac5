internal import Kernel
internal import Postgres

/// A request, and the caller who waits for its answer.
struct Waiting: Sendable {
    let request: AppendRequest
    let continuation: CheckedContinuation<Result<Appended, AppendError>, Never>
}

/// Requests that share a transaction: no two of them touch the same stream, claim or command.
struct Flush: Sendable {
    static let mostRequests = 256

    let waiting: [Waiting]
    /// Counts the flushes of a session in the order in which they were taken.
    var turn = 0

    /// Takes what fits into one transaction; the others wait for the next.
    ///
    /// The first in line is always taken, so nobody waits for ever.
    static func take(from waiting: inout [Waiting]) -> Flush {
        var streams: Set<StreamName> = []
        var claims: Set<Claim> = []
        var commands: Set<UniqueID> = []
        var taken: [Waiting] = []
        var left: [Waiting] = []
        var bytes = 0
        for (index, item) in waiting.enumerated() {
            guard taken.count < mostRequests, bytes < AppendRequest.mostBytes else {
                left.append(contentsOf: waiting[index...])
                break
            }
            let request = item.request
            let isFree =
                request.streams.allSatisfy { !streams.contains($0) }
                && request.claims.allSatisfy { !claims.contains($0.step.claim) }
                && request.command.map { !commands.contains($0.id) } ?? true
            guard isFree else {
                left.append(item)
                continue
            }
            streams.formUnion(request.streams)
            claims.formUnion(request.claims.lazy.map(\.step.claim))
            if let command = request.command { commands.insert(command.id) }
            bytes += request.weight
            taken.append(item)
        }
        waiting = left
        return Flush(waiting: taken)
    }

    /// The two halves of a flush that was refused as a whole, to find who is to blame.
    var halves: (Flush, Flush) {
        let middle = waiting.count / 2
        return (Flush(waiting: Array(waiting[..<middle])), Flush(waiting: Array(waiting[middle...])))
    }

    /// Whether it changes leased work.
    var hasWork: Bool { waiting.contains { !$0.request.work.isEmpty } }

    func answer(_ answers: [Result<Appended, AppendError>]) {
        for (item, answer) in zip(waiting, answers) { item.continuation.resume(returning: answer) }
    }

    func refuse(_ error: AppendError) {
        for item in waiting { item.continuation.resume(returning: .failure(error)) }
    }
}

extension AppendRequest {
    /// Every stream that is written, expected or named, once; the written ones first.
    var streams: [StreamName] {
        guard !claims.isEmpty || !work.isEmpty else { return writes.map(\.stream) }
        var streams = writes.map(\.stream)
        for other in claims.map(\.stream) + work.map(\.stream) where !streams.contains(other) { streams.append(other) }
        return streams
    }
}
