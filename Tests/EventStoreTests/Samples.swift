import EventStore
import Kernel
import SignalboxTestKit
import Testing

/// The logs that keep the contract.
enum LogKind: String, CaseIterable, CustomTestStringConvertible {
    case memory, commit, pipelined

    var testDescription: String { rawValue }

    /// Runs `body` with an empty log and its queue of work.
    func with(_ body: (any EventLog & Sendable, any WorkQueue & WorkBoard & Sendable) async throws -> Void) async throws
    {
        switch self {
        case .memory:
            let log = MemoryLog()
            try await body(log, log)
        case .commit, .pipelined:
            try await withDatabase { database in
                try await withLog(in: database, durability: self == .commit ? .commit : .pipelined) {
                    try await body($0.log, $0.queue)
                }
            }
        }
    }
}

func event(_ type: String = "thing.happened", _ payload: String = #"{"a":1}"#) -> NewEvent {
    NewEvent(id: IDSource.system.unique(), type: type, payload: Array(payload.utf8))
}

func stream(_ name: String) -> StreamName {
    guard let stream = StreamName(name) else { preconditionFailure("not a stream name: \(name)") }
    return stream
}

func request(
    _ writes: [StreamWrite] = [],
    command: CommandRecord? = nil,
    claims: [ClaimChange] = [],
    work: [WorkUpdate] = []
) -> AppendRequest {
    AppendRequest(
        causation: Causation(actor: "system", command: command?.id ?? IDSource.system.unique()),
        command: command,
        writes: writes,
        claims: claims,
        work: work
    )
}

/// One event on one stream.
func request(_ name: String, _ expected: ExpectedVersion, events: Int = 1) -> AppendRequest {
    request([StreamWrite(stream(name), expecting: expected, events: (0..<events).map { _ in event() })])
}

func command(hash: UInt8 = 1, answer: String = "{}") -> CommandRecord {
    CommandRecord(
        id: IDSource.system.unique(),
        principal: "user-1",
        requestHash: [UInt8](repeating: hash, count: 32),
        answer: Array(answer.utf8)
    )
}

/// Work that is due at once.
func work(
    _ name: String,
    _ guarded: WorkUpdate.Guard = .create,
    lane: String = "",
    status: String = "queued",
    step: String = "",
    wakeAt: Timestamp? = Timestamp(microseconds: 0)
) -> WorkUpdate {
    WorkUpdate(stream(name), guard: guarded, kind: "chore", lane: lane, status: status, step: step, wakeAt: wakeAt)
}
