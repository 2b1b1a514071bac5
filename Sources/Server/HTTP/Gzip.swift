internal import CZlib
internal import HTTPTypes

/// The content coding that answers are made shorter with (RFC 9110, 8.4).
enum Gzip {
    /// The bytes packed; `nil` when that does not make them fewer.
    static func pack(_ bytes: [UInt8]) -> [UInt8]? {
        let packed = [UInt8](unsafeUninitializedCapacity: packed_bound(bytes.count)) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            count = bytes.withUnsafeBufferPointer { CZlib.pack($0.baseAddress, $0.count, start, buffer.count) }
        }
        return packed.isEmpty || packed.count >= bytes.count ? nil : packed
    }

    /// Whether who sends this takes gzip, and does not like the bytes as they are better.
    static func isWanted(by headers: HTTPFields) -> Bool {
        guard let text = headers[.acceptEncoding] else { return false }
        var weights: [String: Double] = [:]
        for part in text.split(separator: ",") {
            let fields = part.split(separator: ";").map { String($0).trimmed.lowercased() }
            guard let coding = fields.first else { continue }
            let weight = fields.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 }
            weights[coding] = weight ?? 1
        }
        let own = weights["gzip"] ?? weights["x-gzip"] ?? weights["*"] ?? 0
        return own > 0 && own >= weights["identity"] ?? 0
    }

    /// The strong entity tag of the packed bytes: they are another representation than those as they are.
    static func tag(of tag: String) -> String {
        tag.hasPrefix("\"") && tag.count > 1 ? tag.dropLast() + "-gzip\"" : tag
    }

    /// The header fields with the tags of packed answers as those of the things that they show.
    static func untagged(_ headers: HTTPFields) -> HTTPFields {
        var headers = headers
        for name in [HTTPField.Name.ifMatch, .ifNoneMatch] {
            if let text = headers[name], text.contains("-gzip\"") {
                headers[name] = text.replacing("-gzip\"", with: "\"")
            }
        }
        return headers
    }
}

extension Answer {
    /// Fewer bytes than this are not worth it: they fit into one packet anyhow.
    private static let worthPacking = 1024

    /// Packs what is read and is long enough, for who takes that.
    ///
    /// What a command answers is never packed, and neither is what a page of another site makes a browser ask for with its
    /// cookies: secrets are shown in answers to commands alone, and who can have a browser ask again and again, with
    /// something of theirs in it, learns nothing from how long the packed answer is.
    ///
    /// - Parameters:
    ///   - method: Of the request.
    ///   - headers: Of the request, as they came.
    mutating func pack(for method: HTTPRequest.Method, _ headers: HTTPFields) {
        guard [.get, .head].contains(method) else { return }
        if status == .notModified, let tag = self.headers[.eTag] {
            vary()
            if headers[.ifNoneMatch]?.contains(Gzip.tag(of: tag)) == true { self.headers[.eTag] = Gzip.tag(of: tag) }
            return
        }
        guard case .bytes(let bytes, let type) = body, bytes.count >= Self.worthPacking, Self.isText(type),
            self.headers[.contentEncoding] == nil
        else { return }
        vary()
        guard Gzip.isWanted(by: headers), !Self.isForeign(headers), let shorter = packed ?? Gzip.pack(bytes) else {
            return
        }
        body = .bytes(shorter, type: type)
        self.headers[.contentEncoding] = "gzip"
        self.headers[.eTag] = self.headers[.eTag].map { Gzip.tag(of: $0) }
    }

    private mutating func vary() {
        headers[.vary] = headers[.vary].map { $0 + ", Accept-Encoding" } ?? "Accept-Encoding"
    }

    private static func isText(_ type: String) -> Bool {
        let essence = type.prefix { $0 != ";" }
        return essence.hasPrefix("text/") || essence.hasSuffix("json") || essence.hasSuffix("xml")
            || essence == "application/openmetrics-text"
    }

    /// Whether a page of another site has a browser send its cookies.
    private static func isForeign(_ headers: HTTPFields) -> Bool {
        guard headers[.cookie] != nil, let site = headers[.fetchSite] else { return false }
        return !["same-origin", "none"].contains(site)
    }
}
