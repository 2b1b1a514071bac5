package import Domain
package import Kernel

/// What may be asked of the read models.
///
/// Every answer says which position of the log it reflects; ``wait(for:timeout:)`` makes a reader see their own writes.
package struct ReadModels: Sendable {
    /// Returns once every read model has passed a position.
    ///
    /// - Throws: ``ReadError/behind(position:)`` when the time is over first.
    package func wait(for position: Int64, timeout: Duration) async throws(ReadError) { fatalError() }

    /// The position that every read model has passed.
    package func position() async throws(ReadError) -> Int64 { fatalError() }

    package func organization(_ id: OrganizationID) async throws(ReadError) -> Reading<OrganizationView?> {
        fatalError()
    }

    /// The organizations a user belongs to, or all of them; oldest first, without the deleted ones.
    package func organizations(
        of user: UserID? = nil,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<OrganizationView>> { fatalError() }

    /// What a user is in an organization; `nil` for strangers.
    package func role(of user: UserID, in organization: OrganizationID) async throws(ReadError) -> Role? {
        fatalError()
    }

    package func members(
        of organization: OrganizationID,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<MemberView>> { fatalError() }

    package func instance(_ id: InstanceID) async throws(ReadError) -> Reading<InstanceView?> { fatalError() }

    /// The instances of one organization, or all of them; oldest first.
    package func instances(
        of organization: OrganizationID? = nil,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<InstanceView>> { fatalError() }

    /// What happened to an instance, in order.
    package func history(
        of instance: InstanceID,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<TimelineEntry>> { fatalError() }

    package func subscription(_ id: SubscriptionID) async throws(ReadError) -> Reading<SubscriptionView?> {
        fatalError()
    }

    /// The subscriptions of one organization, oldest first.
    package func subscriptions(
        of organization: OrganizationID,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<SubscriptionView>> { fatalError() }

    /// Every release, by application, oldest first.
    package func releases() async throws(ReadError) -> Reading<[ReleaseView]> { fatalError() }

    package func operation(_ id: UniqueID) async throws(ReadError) -> Reading<OperationView?> { fatalError() }

    /// The operations of some organizations, or of all; newest first.
    ///
    /// - Parameters:
    ///   - organizations: `nil` for all, also those that belong to nobody.
    ///   - subject: Only those that work for this stream, e.g. `instance-42`.
    package func operations(
        of organizations: [OrganizationID]?,
        subject: String? = nil,
        status: OperationView.Status? = nil,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<OperationView>> { fatalError() }

    /// Every published route, ordered by router.
    ///
    /// - Throws: ``ReadError/behind(position:)`` unless the routes read model has passed `position`.
    package func routes(afterPassing position: Int64) async throws(ReadError) -> Reading<[RouteView]> { fatalError() }

    /// What authentication needs to know of a key.
    package func key(_ id: KeyID) async throws(ReadError) -> KeyRecord? { fatalError() }

    package func keys(
        of owner: KeyRecord.Owner,
        page: PageRequest
    ) async throws(ReadError) -> Reading<Page<KeyView>> { fatalError() }

    /// How far each read model is, by name.
    package func projections() async throws(ReadError) -> [ProjectionState] { fatalError() }
}

/// How far one build of a read model is.
package struct ProjectionState: Codable, Equatable, Sendable {
    package var name: String
    package var shape: Int
    package var build: Int
    /// Whether the queries read this build.
    package var live: Bool
    /// The last position it has folded.
    package var position: Int64
    /// How many events of the log it has not seen yet.
    package var lag: Int64
    /// How many organizations are blocked by an event that could not be folded.
    package var blocked: Int
}
