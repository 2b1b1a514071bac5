internal import FoundationEssentials
import Kernel

/// Files of `Tests/Fixtures`.
enum Fixture {
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent()
        .deletingLastPathComponent()
        .appending(path: "Fixtures")

    static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: path)))
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try bytes(path), as: UTF8.self)
    }

    static func json(_ path: String) throws -> JSONValue {
        try JSON.decode(JSONValue.self, from: bytes(path))
    }

    /// A file of the machine, such as a server's log.
    static func absolute(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }

    /// Writes what a golden file should hold beside it, for the eye and for `mv`.
    static func propose(_ text: String, for path: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: path + ".actual"))
    }
}
