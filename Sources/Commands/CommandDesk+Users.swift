internal import Crypto
package import Domain
internal import EventStore
internal import Kernel

extension CommandDesk {
    /// Registers a person under an identity that somebody vouches for; one that is registered already is just found.
    ///
    /// The issuer is that of OpenID Connect, or `local`; the subject is what the issuer calls the person.
    package func registerUser(
        issuer: String,
        subject: String,
        email: String? = nil,
        firstName: String? = nil,
        lastName: String? = nil,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<UserRegistered> {
        try Self.requireOperator(envelope.principal)
        guard (firstName ?? "").count <= 100, (lastName ?? "").count <= 100 else { throw .user(.nameTooLong) }
        let hash = Hex.text(SHA256.hash(data: Array("\(issuer)\0\(subject)".utf8)))
        let identity = Claim(kind: ClaimKind.identity, key: hash)
        if let found = try await registered(identity) { return found }

        let id: UserID = handler.ids.identifier()
        let person = Aggregate<User>(absent: Streams.user(id))
        let fact = UserEvent.Registered(
            issuer: issuer,
            subjectHash: hash,
            subject: try await seal(subject, for: id),
            email: try await seal(email, for: id),
            firstName: try await seal(firstName, for: id),
            lastName: try await seal(lastName, for: id)
        )
        do throws(CommandError) {
            return try await handler.commit(envelope, knownBy: nil) { () throws(CommandError) in
                var decision = try decision(person, .register(fact), answer: UserRegistered(user: id), envelope) {
                    .user($0)
                }
                decision.claims = [.take(identity, for: person.stream)]
                return decision
            }
        } catch {
            // Two at once: the other one was first.
            guard error == .identityTaken, let found = try await registered(identity) else { throw error }
            return found
        }
    }

    private func registered(_ identity: Claim) async throws(CommandError) -> Receipt<UserRegistered>? {
        let holder: StreamName?
        do { holder = try await claims.holder(of: identity) } catch { throw .unavailable }
        guard let holder, let user = UserID(holder.id) else { return nil }
        let person = try await handler.aggregates.load(User.self, from: holder)
        return Receipt(
            answer: UserRegistered(user: user),
            position: person.position,
            version: person.version,
            repeated: true
        )
    }

    func seal(_ text: String?, for user: UserID) async throws(CommandError) -> Sealed? {
        guard let text else { return nil }
        do {
            return try await vault.seal(text, for: "user-\(user)")
        } catch {
            switch error {
            case .unavailable: throw .unavailable
            case .erased: throw .user(.erased)
            case .keys(let problem): throw .broken("a personal field cannot be sealed: \(problem)")
            }
        }
    }
}

extension CommandDesk {
    /// Makes a version of the application known, and the default when asked; again, it changes nothing.
    package func registerRelease(
        _ fact: ReleaseEvent.Registered,
        makeDefault: Bool = false,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try Self.requireOperator(envelope.principal)
        let stream = Streams.release(settings.application)
        return try await handler.commit(envelope, knownBy: nil) { () throws(CommandError) in
            let releases = try await handler.aggregates.load(Release.self, from: stream)
            let register = Release.Command.register(fact)
            let commands = makeDefault ? [register, .setDefault(version: fact.version)] : [register]
            return try decision(releases, commands, answer: Done(), envelope) { .release($0) }
        }
    }

    /// Makes a known version the one that new instances run.
    package func setDefaultRelease(
        version: String,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try Self.requireOperator(envelope.principal)
        let stream = Streams.release(settings.application)
        return try await handler.commit(envelope, knownBy: nil) { () throws(CommandError) in
            let releases = try await handler.aggregates.load(Release.self, from: stream)
            return try decision(releases, .setDefault(version: version), answer: Done(), envelope) { .release($0) }
        }
    }
}
