import Domain
import Kernel

@testable import Projections

/// A read model as docs/how-to/add-a-projection.md says to write one: this file, `renames.v1.sql`, its line in the assets
/// and its line in ``TestRegistry``.
enum Renames: Projection {
    struct Row: Codable, Equatable, Sendable {
        var id: String
        var names: [String]
    }

    static let name = "renames"
    static let shape = 1
    static let reads: Set<String> = [
        OrganizationEvent.Name.created.rawValue, OrganizationEvent.Name.renamed.rawValue,
    ]

    static func key(of entry: Entry) -> String? { entry.subject }

    static func fold(into row: inout Row?, _ entry: Entry) throws {
        guard case .organization(let event) = entry.event else { return }
        switch event {
        case .created(let fact): row = Row(id: entry.subject, names: [fact.name])
        case .renamed(let fact):
            guard row != nil else { throw FoldError.missing(key: entry.subject) }
            row?.names.append(fact.name)
        default: break
        }
    }
}
