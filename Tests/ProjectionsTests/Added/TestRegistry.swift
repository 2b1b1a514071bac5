import EventStore
import TestAssets

@testable import Projections

/// ``Registry`` with one line more.
enum TestRegistry {
    static let all: [any Projection.Type] =
        Registry.all + [
            Renames.self
        ]

    /// The SQL file of a read model, found by its name as the ones of `schema/` are.
    static func file(_ name: String, shape: Int) -> Schema.File? {
        (0..<test_asset_count()).lazy.map { test_asset_at($0) }
            .map { asset in
                Schema.File(
                    path: String(cString: asset.path),
                    text: String(decoding: UnsafeBufferPointer(start: asset.bytes, count: asset.size), as: UTF8.self)
                )
            }
            .first { $0.name == "\(name).v\(shape).sql" }
    }
}

extension Renames {
    /// Tests have assets of their own, so that no read model of theirs is in the program.
    static var file: Schema.File? { TestRegistry.file(name, shape: shape) }
}
