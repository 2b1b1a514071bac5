internal import FoundationEssentials

/// The files of this repository, as the tests of its architecture read them.
enum Repository {
    /// The folder of `Package.swift`.
    static let root = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }

    /// The text of a file, by its path from the root.
    static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: root + "/" + path)), as: UTF8.self)
    }

    /// Paths from the root of all files below a folder, sorted; hidden ones are left out.
    static func files(below folder: String, ending suffix: String = "") -> [String] {
        let paths = (try? FileManager.default.subpathsOfDirectory(atPath: root + "/" + folder)) ?? []
        return paths.filter { path in
            path.hasSuffix(suffix) && !path.split(separator: "/").contains { $0.hasPrefix(".") }
        }.map { folder + "/" + $0 }.sorted()
    }

    /// Whether a path exists.
    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root + "/" + path)
    }
}
