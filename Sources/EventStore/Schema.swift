internal import CAssets

/// The SQL files of `schema/`, carried inside the binary.
package enum Schema {
    /// One file.
    package struct File: Sendable, Equatable {
        /// Relative to the root of the repository, as in `schema/functions/append.sql`.
        package let path: String
        package let text: String

        package init(path: String, text: String) {
            self.path = path
            self.text = text
        }

        /// The file's name without its folder.
        package var name: String { String(path.split(separator: "/").last ?? "") }
    }

    /// Every embedded file, ordered by path.
    package static let files: [File] = (0..<asset_count()).map { index in
        let asset = asset_at(index)
        return File(
            path: String(cString: asset.path),
            text: String(decoding: UnsafeBufferPointer(start: asset.bytes, count: asset.size), as: UTF8.self)
        )
    }.sorted { $0.path < $1.path }

    /// `schema/migrations/Vnnnn__what.sql`, in the order they are applied.
    package static var migrations: [File] { files.filter { $0.path.hasPrefix("schema/migrations/") } }

    /// `schema/functions/*.sql`, each replaced when it changed.
    package static var functions: [File] { files.filter { $0.path.hasPrefix("schema/functions/") } }

    /// `schema/roles.sql`.
    package static var roles: File? { files.first { $0.path == "schema/roles.sql" } }

    /// The tables of a read model; `nil` when there is no such file.
    package static func readModel(_ name: String, shape: Int) -> File? {
        files.first { $0.path == "schema/readmodels/\(name).v\(shape).sql" }
    }
}
