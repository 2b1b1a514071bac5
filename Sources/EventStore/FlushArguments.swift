internal import Kernel
internal import Postgres

/// The arguments of `log.append` for one flush, and how to read its answer.
///
/// `schema/functions/append.sql` says what each means.
struct FlushArguments {
    static let statement = """
        SELECT outcomes, firsts, lasts, versions, culprits, answers, waited
          FROM log.append(\((1...48).map { "$\($0)" }.joined(separator: ", ")))
        """

    private struct Stream {
        let owner: Int32
        let name: StreamName
        let organization: OrganizationID?
        let expected: ExpectedVersion
        let count: Int32
        let start: Int32
    }

    private struct Event {
        let stream: Int32
        let nth: Int32
        let type: Int32
        let event: NewEvent
    }

    private let requests: [AppendRequest]
    private var streams: [Stream] = []
    /// Where the streams of each request begin.
    private var offsets: [Int] = []
    private var sizes: [Int32] = []
    /// How many events the requests before it have.
    private var befores: [Int32] = []
    private var leads: [Int32] = []
    private var events: [Event] = []
    private var types: [String] = []
    private var claims: [(owner: Int32, change: ClaimChange, stream: Int32)] = []
    private var work: [(owner: Int32, update: WorkUpdate, stream: Int32)] = []

    init(_ requests: [AppendRequest]) {
        self.requests = requests
        var typeNumbers: [String: Int32] = [:]
        for (index, request) in requests.enumerated() {
            let owner = Int32(index + 1)
            offsets.append(streams.count)
            var start: Int32 = 0
            var lead: Int32 = 0
            for write in request.writes {
                streams.append(
                    Stream(
                        owner: owner,
                        name: write.stream,
                        organization: write.organization,
                        expected: write.expected,
                        count: Int32(write.events.count),
                        start: start
                    )
                )
                let number = Int32(streams.count)
                if lead == 0, !write.events.isEmpty { lead = number }
                for (nth, event) in write.events.enumerated() {
                    let type = typeNumbers[event.type] ?? Int32(types.count + 1)
                    if type > types.count {
                        typeNumbers[event.type] = type
                        types.append(event.type)
                    }
                    events.append(Event(stream: number, nth: Int32(nth + 1), type: type, event: event))
                }
                start += Int32(write.events.count)
            }
            befores.append((befores.last ?? 0) + (sizes.last ?? 0))
            sizes.append(start)
            leads.append(lead)
            for change in request.claims { claims.append((owner, change, number(of: change.stream, owner: owner))) }
            for update in request.work { work.append((owner, update, number(of: update.stream, owner: owner))) }
        }
    }

    /// The number of a stream among those of the request being read; named for the first time, it is only named.
    private mutating func number(of name: StreamName, owner: Int32) -> Int32 {
        let start = offsets[offsets.count - 1]
        if let index = streams[start...].firstIndex(where: { $0.name == name }) { return Int32(index + 1) }
        streams.append(Stream(owner: owner, name: name, organization: nil, expected: .any, count: 0, start: 0))
        return Int32(streams.count)
    }

    /// - Parameters:
    ///   - hint: A position that was seen in the log, 0 for none.
    ///   - again: Whether the same flush may have been written already.
    ///   - durable: Whether the commit waits for the disk.
    /// - Returns: All 48 of them.
    func parameters(hint: Int64, again: Bool, durable: Bool) -> Parameters {
        var parameters = Parameters(
            reserving: 512 * requests.count + events.reduce(0) { $0 + $1.event.payload.count + 64 }
        )
        parameters.add(hint)
        parameters.add(again)
        parameters.add(durable)
        addRequests(to: &parameters)
        addStreams(to: &parameters)
        addEvents(to: &parameters)
        addClaims(to: &parameters)
        addWork(to: &parameters)
        return parameters
    }

    private func addRequests(to parameters: inout Parameters) {
        parameters.add(array: requests.map(\.causation.command))
        parameters.add(array: requests.map(\.causation.actor))
        parameters.add(array: requests.map(\.causation.cause) as [UniqueID?])
        parameters.add(array: requests.map(\.causation.correlation))
        parameters.add(array: requests.map(\.metadata))
        parameters.add(array: requests.map { Leaf.metadataHash($0.metadata) })
        parameters.add(array: requests.map(\.command?.principal) as [String?])
        parameters.add(array: requests.map(\.command?.requestHash) as [[UInt8]?])
        parameters.add(array: requests.map(\.command?.answer) as [[UInt8]?])
        parameters.add(array: sizes)
        parameters.add(array: befores)
        parameters.add(array: leads)
        parameters.add(array: requests.map { $0.writes.lazy.flatMap(\.events).first?.id } as [UniqueID?])
    }

    private func addStreams(to parameters: inout Parameters) {
        parameters.add(array: streams.map(\.owner))
        parameters.add(array: streams.map(\.name.text))
        parameters.add(array: streams.map(\.organization) as [OrganizationID?])
        parameters.add(array: streams.map(\.expected.wire))
        parameters.add(array: streams.map(\.count))
        parameters.add(array: streams.map(\.start))
        parameters.add(array: types)
    }

    private func addEvents(to parameters: inout Parameters) {
        parameters.add(array: events.map(\.stream))
        parameters.add(array: events.map(\.nth))
        parameters.add(array: events.map(\.type))
        parameters.add(array: events.map(\.event.schemaVersion))
        parameters.add(array: events.map(\.event.id))
        parameters.add(array: events.map(\.event.payload))
        let salts = Leaf.salts(events.count)
        parameters.add(array: salts)
        parameters.add(array: zip(salts, events).map { Leaf.payloadHash(salt: $0, payload: $1.event.payload) })
    }

    private func addClaims(to parameters: inout Parameters) {
        parameters.add(array: claims.map(\.owner))
        parameters.add(array: claims.map(\.change.step.takes))
        parameters.add(array: claims.map(\.change.step.claim.kind))
        parameters.add(array: claims.map(\.change.step.claim.key))
        parameters.add(array: claims.map(\.stream))
    }

    private func addWork(to parameters: inout Parameters) {
        parameters.add(array: work.map(\.owner))
        parameters.add(array: work.map(\.update.guard.wire))
        parameters.add(array: work.map(\.stream))
        parameters.add(array: work.map(\.update.guard.fence))
        parameters.add(array: work.map(\.update.kind))
        parameters.add(array: work.map(\.update.lane))
        parameters.add(array: work.map(\.update.priority))
        parameters.add(array: work.map(\.update.status))
        parameters.add(array: work.map(\.update.step))
        parameters.add(array: work.map(\.update.target))
        parameters.add(array: work.map(\.update.wakeAt) as [Timestamp?])
        parameters.add(array: work.map(\.update.deadline) as [Timestamp?])
    }

    /// What became of each request.
    func answers(_ rows: borrowing Rows) throws(PostgresError) -> FlushAnswers {
        let outcomes = try rows.array(Int16.self, row: 0, column: 0)
        let firsts = try rows.array(Int64.self, row: 0, column: 1)
        let lasts = try rows.array(Int64.self, row: 0, column: 2)
        let versions = try rows.array(Int64.self, row: 0, column: 3)
        let culprits = try rows.array(Int32.self, row: 0, column: 4)
        let stored = try rows.optionals([UInt8].self, row: 0, column: 5)
        guard outcomes.count == requests.count, versions.count == streams.count else {
            throw PostgresError(.shape, message: "\(outcomes.count) answers to \(requests.count) requests")
        }
        let results = requests.indices.map { index -> Result<Appended, AppendError> in
            let written = requests[index].writes.indices.filter { !requests[index].writes[$0].events.isEmpty }
            func appended(_ versions: (Int) -> Int64, repeated: [UInt8]? = nil) -> Result<Appended, AppendError> {
                let named = repeated == nil ? written : []
                return .success(
                    Appended(
                        // Without an event the first position is the one after the last.
                        firstPosition: firsts[index] > lasts[index] ? 0 : firsts[index],
                        lastPosition: lasts[index],
                        versions: Dictionary(
                            uniqueKeysWithValues: named.map { (requests[index].writes[$0].stream, versions($0)) }
                        ),
                        repeated: repeated
                    )
                )
            }
            switch outcomes[index] {
            case 0:
                return appended { versions[offsets[index] + $0] + Int64(requests[index].writes[$0].events.count) }
            case 1:
                if let answer = stored[index] { return appended({ _ in 0 }, repeated: answer) }
                // Recognised by its first event: answered as the first time, as far as versions were expected.
                return appended { nth in
                    let write = requests[index].writes[nth]
                    let expected = write.expected.wire
                    return expected < 0 ? versions[offsets[index] + nth] : expected + Int64(write.events.count)
                }
            case 2:
                return .failure(.commandReused)
            case 3:
                let stream = streams[Int(culprits[index]) - 1]
                return .failure(
                    .conflict(
                        stream: stream.name,
                        expected: stream.expected,
                        actual: versions[Int(culprits[index]) - 1]
                    )
                )
            case 4:
                return .failure(.claimed(claims[Int(culprits[index]) - 1].change.step.claim))
            default:
                return .failure(.fenced)
            }
        }
        var answers = FlushAnswers(results: results)
        for index in requests.indices where outcomes[index] <= 1 {
            answers.lastPosition = max(answers.lastPosition, lasts[index])
            if outcomes[index] == 0, sizes[index] > 0 { answers.hasWrittenEvents = true }
        }
        answers.lockWait = .microseconds(try rows.value(Int64.self, row: 0, column: 6) ?? 0)
        return answers
    }
}

extension WorkUpdate.Guard {
    fileprivate var wire: Int16 {
        switch self {
        case .create: 0
        case .holding: 1
        case .wake: 2
        case .seize: 3
        }
    }

    fileprivate var fence: Int64 {
        guard case .holding(let fence) = self else { return 0 }
        return fence
    }
}
