/// Who holds a claimed name.
package protocol ClaimDirectory: Sendable {
    /// The stream that holds the name now; `nil` when it is free.
    ///
    /// The answer is a hint for people: only an append that takes the claim decides.
    func holder(of claim: Claim) async throws(LogError) -> StreamName?
}
