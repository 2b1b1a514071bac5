internal import Crypto
internal import FoundationEssentials
internal import HTTPTypes
internal import Kernel

/// The files of a web page, read once at the start: what is not among them cannot be asked for, whatever a path says.
package struct StaticFiles: Sendable {
    /// Why a folder cannot be served.
    package enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case unreadable(String)
        /// There is no `index.html` in it.
        case noIndex(String)
        case tooLarge(String, bytes: Int)

        package var description: String {
            switch self {
            case .unreadable(let path): "\(path) cannot be read"
            case .noIndex(let path): "\(path) has no index.html"
            case .tooLarge(let path, let bytes): "\(path) has more than \(bytes) bytes"
            }
        }
    }

    private struct File: Sendable {
        var bytes: [UInt8]
        var packed: [UInt8]?
        var type: String
        var tag: String
    }

    private var files: [String: File] = [:]

    /// Reads a folder; links are followed only when they stay in it, and names that begin with a dot are left out.
    ///
    /// - Parameters:
    ///   - folder: Its path.
    ///   - limit: Bytes of all files together, at most: they are kept in memory.
    /// - Throws: ``Failure``.
    package init(folder: String, limit: Int = 64 << 20) throws(Failure) {
        let root = URL(filePath: folder).resolvingSymlinksInPath().path(percentEncoded: false)
        guard let paths = try? FileManager.default.subpathsOfDirectory(atPath: folder) else {
            throw .unreadable(folder)
        }
        var sum = 0
        for path in paths where !path.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
            let url = URL(filePath: folder + "/" + path).resolvingSymlinksInPath()
            let inside = root.hasSuffix("/") ? root : root + "/"
            var isFolder = false
            guard url.path(percentEncoded: false).hasPrefix(inside),
                FileManager.default.fileExists(atPath: url.path(percentEncoded: false), isDirectory: &isFolder),
                !isFolder
            else { continue }
            guard let data = try? Data(contentsOf: url) else { throw .unreadable(folder + "/" + path) }
            sum += data.count
            guard sum <= limit else { throw .tooLarge(folder, bytes: limit) }
            add(path, Array(data))
        }
        guard files["index.html"] != nil else { throw .noIndex(folder) }
    }

    /// Serves these files, by their paths from the root.
    package init(_ files: [String: String]) {
        for (path, text) in files { add(path, Array(text.utf8)) }
    }

    private mutating func add(_ path: String, _ bytes: [UInt8]) {
        files[path] = File(
            bytes: bytes,
            packed: Gzip.pack(bytes),
            type: Self.type(of: path),
            tag: "\"" + Hex.text(Array(SHA256.hash(data: bytes)).prefix(16)) + "\""
        )
    }

    /// What a GET of a path is answered that is no route's.
    ///
    /// - Parameters:
    ///   - path: As in the request, without its query.
    ///   - headers: Of the request.
    /// - Returns: The file; the page itself for what is none, so that it can show it; `nil` below the paths of the API.
    func answer(_ path: String, _ headers: HTTPFields) -> Answer? {
        let segments = path.split(separator: "/").map(String.init)
        if let first = segments.first, Self.reserved.contains(first) { return nil }
        // A file that is not there is not the page: a script must not be HTML.
        let isAsset = segments.first == "assets" || Self.suffix(of: path).map { Self.types[$0] != nil } ?? false
        guard let decoded = PercentEncoding.decode(path.dropFirst()) else { return nil }
        let found =
            files[decoded].map { (decoded, $0) } ?? (isAsset ? nil : files["index.html"].map { ("index.html", $0) })
        guard let (name, file) = found else { return nil }
        var answer = Answer(body: .bytes(file.bytes, type: file.type))
        answer.packed = file.packed
        answer.headers[.eTag] = file.tag
        answer.headers[.cacheControl] = name.hasPrefix("assets/") ? "public, max-age=31536000, immutable" : "no-cache"
        answer.headers[.contentSecurityPolicy] =
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
            + "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
        if headers[.ifNoneMatch]?.split(separator: ",").contains(where: { $0.filter { $0 != " " } == file.tag }) == true
        {
            answer.status = .notModified
            answer.body = .empty
        }
        return answer
    }

    /// What is below them is the API's alone: an unknown path there is a problem, never a page.
    private static let reserved: Set<String> = [
        "v1", "api", "admin", "audit", "auth", "user", "traefik", "livez", "readyz", "health", "metrics",
        "openapi.json", "docs",
    ]

    private static func type(of path: String) -> String {
        suffix(of: path).flatMap { types[$0] } ?? "application/octet-stream"
    }

    /// What comes after the last dot of the last segment.
    private static func suffix(of path: String) -> String? {
        let parts = (path.split(separator: "/").last ?? "").split(separator: ".", omittingEmptySubsequences: false)
        return parts.count > 1 ? parts.last?.lowercased() : nil
    }

    private static let types = [
        "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "mjs": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "json": "application/json",
        "map": "application/json", "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg",
        "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "ico": "image/x-icon", "woff": "font/woff",
        "woff2": "font/woff2", "ttf": "font/ttf", "txt": "text/plain; charset=utf-8", "wasm": "application/wasm",
        "webmanifest": "application/manifest+json",
    ]
}
