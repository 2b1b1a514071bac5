internal import Domain
internal import EventStore
package import Kernel

/// What a person has told of themselves.
package struct Profile: Sendable, Equatable {
    package var firstName: String?
    package var lastName: String?
    package var email: String?
    /// The version of the person's stream.
    package var version: Int64 = 0
    package var position: Int64 = 0

    package init() {}
}

extension CommandDesk {
    /// Gives a person another first or last name, or both; what is not given stays.
    package func updateProfile(
        of user: UserID,
        firstName: String?,
        lastName: String?,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try Self.requireSelf(user, envelope.principal)
        guard (firstName ?? "").count <= 100, (lastName ?? "").count <= 100 else { throw .user(.nameTooLong) }
        let stream = Streams.user(user)
        // Sealed once: a repeat of the command must not be another one.
        let (first, last) = (try await seal(firstName, for: user), try await seal(lastName, for: user))
        return try await handler.commit(envelope, knownBy: stream) { () throws(CommandError) in
            let person = try await handler.aggregates.load(User.self, from: stream)
            return try decision(
                person,
                .updateProfile(firstName: first, lastName: last),
                answer: Done(),
                envelope
            ) { .user($0) }
        }
    }

    /// What a person has told of themselves; without what nobody can open any more.
    ///
    /// It is read from the log: what is personal is kept nowhere else.
    package func profile(of user: UserID) async throws(CommandError) -> Profile {
        var (profile, sealed) = (Profile(), (first: Sealed?.none, last: Sealed?.none, email: Sealed?.none))
        while true {
            let page: [RecordedEvent]
            do throws(LogError) {
                page = try await handler.log.read(Streams.user(user), after: profile.version, limit: 500)
            } catch {
                throw .unavailable
            }
            for record in page {
                (profile.version, profile.position) = (record.version, record.position)
                switch Self.userEvent(record) {
                case .registered(let fact): sealed = (fact.firstName, fact.lastName, fact.email)
                case .profileUpdated(let fact):
                    sealed.first = fact.firstName ?? sealed.first
                    sealed.last = fact.lastName ?? sealed.last
                case .apiKeyIssued, .apiKeyRevoked, .erased, nil: break
                }
            }
            if page.count < 500 { break }
        }
        guard profile.version > 0 else { throw .notFound }
        profile.firstName = try await open(sealed.first)
        profile.lastName = try await open(sealed.last)
        profile.email = try await open(sealed.email)
        return profile
    }

    /// `nil` for what was erased, or is written in a form that this build does not know.
    private static func userEvent(_ record: RecordedEvent) -> UserEvent? {
        guard let payload = record.payload else { return nil }
        return try? UserEvent.decode(type: record.type, schemaVersion: record.schemaVersion, payload: payload)
    }

    private func open(_ sealed: Sealed?) async throws(CommandError) -> String? {
        guard let sealed else { return nil }
        do throws(Vault.Problem) {
            return try await vault.open(sealed)
        } catch {
            switch error {
            case .erased: return nil
            case .unavailable: throw .unavailable
            case .keys(let problem): throw .broken("a personal field cannot be opened: \(problem)")
            }
        }
    }
}
