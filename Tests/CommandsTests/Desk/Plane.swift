import Commands
import Domain
import EventStore
import Kernel
import SignalboxTestKit

/// A plane in memory with a default release, and people who give it commands.
struct Plane {
    let log = MemoryLog()
    let subjects = MemorySubjectKeys()
    let desk: CommandDesk

    init(release: ReleaseEvent.Registered? = Samples.release()) async throws {
        desk = Samples.desk(log, subjects: subjects)
        guard let release else { return }
        _ = try await desk.registerRelease(release, makeDefault: true, by: .own(ids: .system))
    }

    /// Somebody who is registered.
    func person(_ subject: String = "somebody") async throws -> Principal {
        let receipt = try await desk.registerUser(issuer: "local", subject: subject, by: .own(ids: .system))
        return Principal(.user(receipt.answer.user))
    }

    /// An organization with its first instance; its name is its slug.
    func onboarded(_ slug: String = "acme", by person: Principal) async throws -> Receipt<Onboarded> {
        try await desk.onboard(name: slug, slug: slug, price: "team-monthly", by: .once(person))
    }

    /// The types of the events that were written after a position.
    func types(after position: Int64 = 0) -> [String] {
        log.events.filter { $0.position > position }.map(\.type)
    }

    /// Everything that an append writes for a saga or another process, past the desk.
    func record<Model: Decider>(_ model: Model.Type, _ stream: StreamName, _ command: Model.Command) async throws {
        let aggregate = try await Aggregates(log: log).load(model, from: stream)
        let write = try aggregate.write(try aggregate.decide(command), ids: .system)
        let causation = Causation(actor: "saga-test", command: IDSource.system.unique())
        _ = try await log.append(AppendRequest(causation: causation, writes: [write]))
    }
}

extension CommandEnvelope {
    /// A command that is given once, by somebody who may see the version of what it is for.
    static func once(_ principal: Principal, expecting version: Int64? = nil) -> Self {
        var envelope = own(principal, ids: .system)
        envelope.expectedVersion = version
        return envelope
    }

    /// A command that can be sent again.
    static func keyed(_ key: String, _ principal: Principal, body: String = "{}") -> Self {
        CommandEnvelope(
            id: id(principal: principal.actor, route: "POST /v1/test", key: key),
            principal: principal,
            requestHash: hash(of: Array(body.utf8))
        )
    }
}
