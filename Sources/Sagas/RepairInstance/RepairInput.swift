internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// What a repair is decided on: the instance as it was agreed on, and what was found.
struct RepairInput {
    let input: ProvisionInput
    let drift: InstanceEvent.Drift
    let kind: DriftKind

    /// Of the thing that is not as it should be.
    var name: String { drift.name ?? "" }

    private struct Content: Codable {
        var drift: InstanceEvent.Drift
    }

    /// Reads it back from the event that the saga began with.
    init(_ json: JSONValue) throws(PortError) {
        input = try ProvisionInput(json)
        let content: Content
        do {
            content = try JSON.decode(Content.self, from: try JSON.encode(json))
        } catch { throw .blocked(code: "input-unreadable", message: "the saga's input cannot be read") }
        drift = content.drift
        guard let kind = DriftKind(rawValue: content.drift.what) else {
            throw .blocked(code: "drift-unknown", message: "this build does not know \(content.drift.what)")
        }
        self.kind = kind
    }

    /// As the saga's first event carries it.
    static func json(
        _ input: ProvisionInput,
        _ cause: RecordedEvent
    ) throws(SagaBeginError) -> JSONValue {
        guard var members = try input.json().object else { throw .malformed("the saga's input is not JSON") }
        do {
            guard let payload = cause.payload,
                case .driftDetected(let drift) = try InstanceEvent.decode(
                    type: cause.type,
                    schemaVersion: cause.schemaVersion,
                    payload: payload
                )
            else { throw SagaBeginError.malformed("\(cause.stream) \(cause.version) detects no drift") }
            members["drift"] = try JSON.decode(JSONValue.self, from: try JSON.encode(drift))
        } catch let error as SagaBeginError {
            throw error
        } catch { throw .malformed("\(cause.stream) \(cause.version) cannot be read as \(cause.type)") }
        return .object(members)
    }

    /// The same drift of the instance as it is by now.
    func renewed(_ now: ProvisionInput) throws(PortError) -> JSONValue {
        guard var members = try now.output().object else {
            throw .blocked(code: "input-unreadable", message: "the saga's input is not JSON")
        }
        do {
            members["drift"] = try JSON.decode(JSONValue.self, from: try JSON.encode(drift))
        } catch { throw .blocked(code: "input-unreadable", message: "the saga's input is not JSON") }
        return .object(members)
    }

    /// Whoever it is written on.
    func owner(_ ports: ProvisioningPorts, saga: UniqueID) -> Ownership {
        var owner = ports.owner(input, saga: saga)
        if let generation = drift.generation { owner.generation = generation }
        return owner
    }

    /// Whether there is still something to be set right, as far as the log can tell.
    ///
    /// - Parameters:
    ///   - stage: Where the instance is by now.
    ///   - now: What was agreed on by now.
    /// - Returns: Why not; `nil` when there is.
    func isPointless(_ stage: Instance.Stage, _ now: ProvisionInput) -> String? {
        let isWanted =
            switch kind {
            // Somebody has stopped or ended it since, and would be surprised to see it run again.
            case .jobGone, .jobDiffers, .jobStopped, .billingMissing: stage == .running
            case .databaseGone, .roleDrift, .billingSurplus: stage == .running || stage == .stopped
            // What was nobody's when it was seen may be the next generation's by now.
            case .orphanSubscription: [.terminated, .provisioningFailed].contains(stage) || now.formerDraft != name
            case .orphanDatabase, .orphanRole, .orphanJob, .routeStale: true
            }
        return isWanted ? nil : "the instance is \(stage.rawValue) by now"
    }

    /// The database that was found, with the role that goes with its generation.
    func database(_ ports: ProvisioningPorts, saga: UniqueID) -> TenantDatabase {
        var database = ports.database(input, saga: saga)
        let owner = owner(ports, saga: saga)
        database.owner = owner
        database.database = kind == .orphanDatabase ? name : database.database
        database.role = ports.names.role(
            organization: owner.organization,
            instance: input.name,
            generation: owner.generation
        )
        return database
    }
}
