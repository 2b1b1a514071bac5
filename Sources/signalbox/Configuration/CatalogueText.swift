internal import Domain
internal import EventStore
internal import FoundationEssentials
internal import Yams

/// The catalogue as people write it: YAML, checked before anything is sold.
enum CatalogueText {
    private static let path = "deploy/catalogue.yaml"

    /// The one inside the binary.
    ///
    /// - Throws: ``ConfigurationError`` with everything that is wrong.
    static func embedded() throws(ConfigurationError) -> Catalogue {
        guard let file = Schema.files.first(where: { $0.path == path }) else {
            throw ConfigurationError(problems: ["the binary carries no \(path)"])
        }
        return try parse(file.text, from: path)
    }

    /// One from a file.
    static func read(_ path: String) throws(ConfigurationError) -> Catalogue {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw ConfigurationError(problems: ["SIGNALBOX_CATALOGUE names a file that cannot be read: \(path)"])
        }
        return try parse(String(decoding: data, as: UTF8.self), from: path)
    }

    private static func parse(_ text: String, from path: String) throws(ConfigurationError) -> Catalogue {
        let file: CatalogueFile
        do {
            file = try YAMLDecoder().decode(CatalogueFile.self, from: text)
        } catch {
            throw ConfigurationError(problems: ["\(path): \(error)"])
        }
        do {
            return try Catalogue(validating: file)
        } catch {
            throw ConfigurationError(problems: ["\(path): \(error)"])
        }
    }
}
