internal import EventStore
package import Kernel

/// Who somebody is whom an issuer vouches for.
extension CommandDesk {
    /// The person with an identity, who is registered now when they were not before.
    ///
    /// - Returns: `nil` for somebody who was erased: the identity is nobody's any more.
    package func person(
        issuer: String,
        subject: String,
        email: String? = nil,
        firstName: String? = nil,
        lastName: String? = nil
    ) async throws(CommandError) -> UserID? {
        let receipt = try await registerUser(
            issuer: issuer,
            subject: subject,
            email: email,
            firstName: firstName,
            lastName: lastName,
            by: .own(ids: handler.ids)
        )
        let user = receipt.answer.user
        let person = try await handler.aggregates.load(User.self, from: Streams.user(user))
        return person.model.stage == .registered ? user : nil
    }

    /// Whether there is such a person, who was not erased.
    package func isRegistered(_ user: UserID) async throws(CommandError) -> Bool {
        let person = try await handler.aggregates.load(User.self, from: Streams.user(user))
        return person.model.stage == .registered
    }
}
