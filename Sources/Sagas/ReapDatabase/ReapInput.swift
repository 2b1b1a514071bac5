internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// A database that was put aside, and what goes with it.
struct ReapInput: SagaInput {
    var provision: ProvisionInput
    /// As the tenant knew it.
    var database: String
    /// As it is called now.
    var renamed: String
    var role: String
    var generation: Int
    var until: Timestamp

    /// From the stream of the instance, as it was when the database was put aside.
    init(_ cause: RecordedEvent, _ log: any EventLog) async throws(SagaBeginError) {
        provision = try await ProvisionInput.read(cause, log)
        var aside: InstanceEvent.DatabaseQuarantined?
        var made: [String: InstanceEvent.DatabaseProvisioned] = [:]
        for event in try await ProvisionInput.history(cause.stream, log) where event.version <= cause.version {
            switch try ProvisionInput.decoded(InstanceEvent.self, event) {
            case .databaseProvisioned(let fact): made[fact.database] = fact
            case .databaseQuarantined(let fact) where event.version == cause.version: aside = fact
            default: break
            }
        }
        guard let aside else { throw .malformed("\(cause.stream) \(cause.version) puts nothing aside") }
        database = aside.database
        renamed = aside.renamed
        until = aside.until
        if let orphan = aside.orphan {
            (role, generation) = (orphan.role, orphan.generation)
        } else if let origin = made[aside.database] {
            (role, generation) = (origin.role, origin.generation)
        } else {
            throw .malformed("\(cause.stream) \(cause.version) puts aside what was never made")
        }
    }
}
