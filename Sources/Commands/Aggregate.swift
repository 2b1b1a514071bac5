internal import Domain
package import EventStore
package import Kernel

/// One write model as far as its stream has been read.
package struct Aggregate<Model: Decider>: Sendable, Equatable {
    package let stream: StreamName
    /// The version of the stream: how many events the model has taken in.
    package var version: Int64
    /// The position of the last of them; 0 without any.
    package var position: Int64
    package var model: Model
    /// To whom the stream belongs, as its first event says.
    package var organization: OrganizationID?
    /// The version of the last snapshot of it, as far as known.
    var kept: Int64 = 0

    /// A stream without events.
    package init(absent stream: StreamName, organization: OrganizationID? = nil) {
        self.stream = stream
        self.version = 0
        self.position = 0
        self.model = Model()
        self.organization = organization
    }

    /// What a snapshot keeps of it.
    var state: AggregateState<Model> {
        AggregateState(position: position, organization: organization, model: model)
    }

    /// Becomes what a snapshot says it is at a version.
    mutating func take(_ state: AggregateState<Model>, at version: Int64) {
        (self.version, kept) = (version, version)
        (position, organization, model) = (state.position, state.organization, state.model)
    }

    package var exists: Bool { version > 0 }

    /// What several commands cause together, each decided on the state that the ones before it leave.
    package func decide(_ commands: Model.Command...) throws(Model.Refusal) -> [Model.Event] {
        try decide(commands)
    }

    /// What several commands cause together, each decided on the state that the ones before it leave.
    package func decide(_ commands: [Model.Command]) throws(Model.Refusal) -> [Model.Event] {
        var (model, events) = (model, [Model.Event]())
        for command in commands {
            let caused = try model.decide(command)
            for event in caused { model.evolve(event) }
            events += caused
        }
        return events
    }

    /// The events as the log takes them, expecting the stream to be as it was read.
    ///
    /// - Parameters:
    ///   - events: What ``decide(_:)`` caused; without any, the write only expects.
    ///   - ids: Where the events' ids come from.
    ///   - first: The id of the first event, when it has to be known before.
    /// - Returns: What an `AppendRequest` takes.
    /// - Throws: ``CommandError/broken(_:)`` when a fact cannot be JSON, for example an infinite number.
    package func write(
        _ events: [Model.Event],
        ids: IDSource,
        first: UniqueID? = nil
    ) throws(CommandError) -> StreamWrite {
        var written: [NewEvent] = []
        for event in events {
            let id = written.isEmpty ? first ?? ids.unique() : ids.unique()
            do {
                let payload = try event.payload()
                written.append(
                    NewEvent(
                        id: id,
                        type: event.name.rawValue,
                        schemaVersion: event.schemaVersion,
                        payload: payload
                    )
                )
            } catch {
                throw .broken("\(event.name.rawValue) cannot be encoded: \(error)")
            }
        }
        return StreamWrite(stream, organization: organization, expecting: .version(version), events: written)
    }
}

/// An aggregate as its snapshots have it.
struct AggregateState<Model: Decider>: Snapshotable {
    static var stateVersion: Int16 { Model.stateVersion }

    var position: Int64
    var organization: OrganizationID?
    var model: Model
}
