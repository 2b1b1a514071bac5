internal import Kernel
internal import Postgres

/// Events as `COPY` sends them: without the names of their streams and types, which are looked up once for all.
///
/// Sending and joining the names of each row would cost the server a third of its time.
struct EventRows {
    /// What ``take(_:)`` reads, of `log.event AS e`.
    static let columns = """
        e.position, e.event_id, e.stream_id, e.org_id, e.version, e.type_id, e.schema_version, e.recorded_at, e.actor,
        e.command_id, e.causation_id, e.correlation_id, e.metadata, e.payload
        """

    /// How many bytes of payload a page holds, roughly at most: big events make short pages, not big processes.
    static let mostBytes = 16 << 20

    private var events: [RecordedEvent] = []
    private var streams: [Int64] = []
    private var types: [Int32] = []
    private var size = 0
    private var lastActor = ""

    /// Whether so much was taken that the rest is for another page.
    var isFull: Bool { size >= Self.mostBytes }

    /// Decodes one row.
    mutating func take(_ row: inout CopiedRow) throws(PostgresError) {
        let position = try row.int64()
        let id = try row.uniqueID()
        streams.append(try row.int64())
        let organization = try row.optionalInt64().flatMap { OrganizationID($0) }
        let version = try row.int64()
        types.append(try row.int32())
        let schemaVersion = try row.int16()
        let recordedAt = try row.timestamp()
        try readActor(row.value())
        events.append(
            RecordedEvent(
                position: position,
                id: id,
                stream: Self.unnamed,
                organization: organization,
                version: version,
                type: "",
                schemaVersion: schemaVersion,
                recordedAt: recordedAt,
                actor: lastActor,
                command: try row.uniqueID(),
                cause: try row.optionalUniqueID(),
                correlation: try row.uniqueID(),
                metadata: try row.text(),
                payload: try row.optionalBytes()
            )
        )
        size += events[events.count - 1].payload?.count ?? 0
    }

    /// Gives all that was taken, with names.
    ///
    /// Names are not kept for the next page: nothing that was learned may outlive a database that is restored below.
    ///
    /// - Parameter connection: Where the rows came from.
    /// - Returns: The events, in the order they were taken.
    /// - Throws: ``PostgresError``, of kind `shape` when an event names a stream or a type that is not there.
    mutating func takeNamed(on connection: isolated Connection) throws(PostgresError) -> [RecordedEvent] {
        // Taken out, so that the names are filled in without copying all of them.
        var events: [RecordedEvent] = []
        swap(&events, &self.events)
        guard !events.isEmpty else { return [] }
        var streamNames: [Int64: StreamName] = [:]
        let streamRows = try connection.run(
            "SELECT stream_id, name FROM log.stream WHERE stream_id = ANY (\(array: Array(Set(streams))))",
            prepared: true
        )
        streamNames.reserveCapacity(streamRows.count)
        for row in 0..<streamRows.count {
            let (id, text) = try streamRows.decode(row, Int64.self, String.self)
            guard let name = StreamName(text) else {
                throw PostgresError(.shape, message: "\(text) is not a stream name")
            }
            streamNames[id] = name
        }
        let typeNames = Dictionary(
            uniqueKeysWithValues: try connection.run(
                "SELECT type_id, name FROM log.event_type WHERE type_id = ANY (\(array: Array(Set(types))))",
                prepared: true
            ).all(Int32.self, String.self)
        )
        for index in events.indices {
            guard let stream = streamNames[streams[index]], let type = typeNames[types[index]] else {
                throw PostgresError(.shape, message: "the event at \(events[index].position) has no stream or no type")
            }
            events[index].stream = stream
            events[index].type = type
        }
        return events
    }

    private static let unnamed = StreamName(category: "no", id: "name")

    /// One command, or one step of a saga, often writes several events in a row.
    private mutating func readActor(_ bytes: UnsafeRawBufferPointer) {
        if lastActor.utf8.elementsEqual(bytes) { return }
        lastActor = String(decoding: bytes, as: UTF8.self)
    }
}
