internal import Domain
internal import EventStore
package import Kernel

/// The databases of tenants, those put aside and dropped too, one row each.
package enum Databases: Projection {
    package typealias Row = DatabaseView

    package static let name = "databases"
    package static let shape = 1
    package static let reads = Set(
        [InstanceEvent.Name.databaseProvisioned, .backedUp, .databaseQuarantined, .databaseDropped].map(\.rawValue)
    )

    /// A name is never used again: each generation of an instance has its own.
    package static func key(of entry: Entry) -> String? {
        guard case .instance(let event) = entry.event else { return nil }
        switch event {
        case .databaseProvisioned(let fact): return fact.database
        case .backedUp(let fact): return fact.database
        case .databaseQuarantined(let fact): return fact.database
        case .databaseDropped(let fact): return fact.database
        default: return nil
        }
    }

    package static func fold(into row: inout DatabaseView?, _ entry: Entry) throws {
        guard case .instance(let event) = entry.event else { return }
        guard let instance = InstanceID(entry.subject) else { throw FoldError.missing(key: entry.subject) }
        switch event {
        case .databaseProvisioned(let fact):
            guard row == nil else { break }
            row = DatabaseView(fact.database, role: fact.role, fact.generation, of: instance, entry)
        case .databaseQuarantined(let fact):
            // What a generation left behind that never said it was provisioned is known by this first.
            var view =
                row
                ?? DatabaseView(
                    fact.database,
                    role: fact.orphan?.role ?? "",
                    fact.orphan?.generation ?? 0,
                    of: instance,
                    entry
                )
            (view.status, view.renamed, view.droppedAfter) = (.quarantined, fact.renamed, fact.until)
            row = view
        case .databaseDropped:
            row?.status = .dropped
        case .backedUp(let fact):
            row?.backup = .init(path: fact.path, size: fact.size, sha256: fact.sha256, at: entry.at)
        default:
            break
        }
        row?.updatedAt = entry.at
    }
}

/// One database as operators see it.
package struct DatabaseView: Codable, Equatable, Sendable {
    package enum Status: String, Codable, Sendable, CaseIterable {
        case present, quarantined, dropped
    }

    /// The last dump of it.
    package struct Backup: Codable, Equatable, Sendable {
        /// On the machine that made it.
        package var path: String
        /// In bytes.
        package var size: Int64
        /// Hex.
        package var sha256: String
        package var at: Timestamp
    }

    package var name: String
    package var role: String
    package var status: Status
    @Nullable package var organizationID: OrganizationID?
    package var instanceID: InstanceID
    package var generation: Int
    /// What it is called since it was put aside.
    @Nullable package var renamed: String?
    /// When it may be dropped, once it was put aside.
    @Nullable package var droppedAfter: Timestamp?
    @Nullable package var backup: Backup?
    /// Of the event by which it became known; lists are in this order.
    package var position: Int64
    package var since: Timestamp
    package var updatedAt: Timestamp

    init(_ name: String, role: String, _ generation: Int, of instance: InstanceID, _ entry: Entry) {
        (self.name, self.role, self.generation) = (name, role, generation)
        status = .present
        organizationID = entry.record.organization
        instanceID = instance
        renamed = nil
        droppedAfter = nil
        backup = nil
        position = entry.position
        since = entry.at
        updatedAt = entry.at
    }

    private enum CodingKeys: String, CodingKey {
        case name, role, status
        case organizationID = "organizationId"
        case instanceID = "instanceId"
        case generation, renamed, droppedAfter, backup, position, since, updatedAt
    }
}
