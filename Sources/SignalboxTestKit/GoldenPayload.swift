package import Domain
internal import FoundationEssentials

/// One payload that lies in logs, as a file of `Tests/Fixtures/events`: an event at one version of its schema.
package struct GoldenPayload: Hashable, Sendable, CustomStringConvertible {
    package let type: String
    package let schemaVersion: Int16

    package init(type: String, schemaVersion: Int16 = 1) {
        self.type = type
        self.schemaVersion = schemaVersion
    }

    /// `instance.running.json`, and from the second version on `instance.running.v2.json`.
    package var file: String { schemaVersion == 1 ? "\(type).json" : "\(type).v\(schemaVersion).json" }

    package var description: String { file }

    /// The bytes of the file.
    package func bytes() throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: Self.folder + "/" + file)))
    }

    /// Every version of every event of a family, each the oldest first.
    package static func all<Family: EventFamily>(of _: Family.Type) -> [Self] {
        Family.Name.allCases.flatMap { name in
            (1...Family.schema(of: name).version).map { Self(type: name.rawValue, schemaVersion: $0) }
        }
    }

    /// Every version of every event there is.
    package static let all = EventFamilies.all.flatMap { all(of: $0) }

    /// The names of the files that are there.
    package static func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") }.sorted()
    }

    /// `Tests/Fixtures/events`, three levels above this file.
    package static let folder =
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 } + "/Tests/Fixtures/events"
}
