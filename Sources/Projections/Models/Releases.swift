package import Domain
package import Kernel

/// The released versions, one row for each application because one of them is the default.
package enum Releases: Projection {
    /// The releases of one application, oldest first.
    package struct Row: Codable, Equatable, Sendable {
        package var application: String
        package var releases: [ReleaseView]
    }

    package static let name = "releases"
    package static let shape = 1
    package static let reads = ReleaseEvent.types

    package static func key(of entry: Entry) -> String? { entry.subject }

    package static func fold(into row: inout Row?, _ entry: Entry) throws {
        guard case .release(let event) = entry.event else { return }
        var all = row ?? Row(application: entry.subject, releases: [])
        switch event {
        case .registered(let fact):
            all.releases.removeAll { $0.version == fact.version }
            all.releases.append(ReleaseView(application: entry.subject, fact, at: entry.at))
        case .defaultSet(let fact):
            for index in all.releases.indices {
                all.releases[index].isDefault = all.releases[index].version == fact.version
            }
        case .statusChanged(let fact):
            for index in all.releases.indices where all.releases[index].version == fact.version {
                all.releases[index].status = fact.status
            }
        }
        row = all
    }
}

/// A released version as the API shows it.
package struct ReleaseView: Codable, Equatable, Sendable {
    package var application: String
    package var version: String
    package var image: String
    @Nullable package var digest: String?
    package var status: ReleaseStatus
    package var minimumTier: Tier
    package var breaking: Bool
    @Nullable package var notes: String?
    package var isDefault: Bool
    package var registeredAt: Timestamp

    package init(application: String, _ fact: ReleaseEvent.Registered, isDefault: Bool = false, at moment: Timestamp) {
        self.application = application
        self.version = fact.version
        self.image = fact.image
        self.digest = fact.digest
        self.status = fact.status
        self.minimumTier = fact.minimumTier
        self.breaking = fact.breaking
        self.notes = fact.notes
        self.isDefault = isDefault
        self.registeredAt = moment
    }

    private enum CodingKeys: String, CodingKey {
        case application, version, image, digest, status, minimumTier, breaking, notes
        case isDefault = "default"
        case registeredAt
    }
}
