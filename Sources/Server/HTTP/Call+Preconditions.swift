package import Kernel
internal import HTTPTypes

/// The header fields and parameters that many routes understand alike.
extension Call {
    /// The version in If-Match; `nil` for `*`.
    ///
    /// - Throws: 428 when it is missing, 400 when it is not one strong entity tag, 412 when it is a tag that we never give.
    package func requiredVersion() throws(Problem) -> Int64? {
        guard let text = headers[.ifMatch] else { throw .preconditionRequired }
        return try version(of: text)
    }

    /// The version in If-Match; `nil` when it is missing or `*`.
    package func optionalVersion() throws(Problem) -> Int64? {
        guard let text = headers[.ifMatch] else { return nil }
        return try version(of: text)
    }

    private func version(of text: String) throws(Problem) -> Int64? {
        let tag = text.trimmed
        if tag == "*" { return nil }
        if tag.hasPrefix("W/") { throw .preconditionFailed(version: nil) }
        guard tag.count >= 2, tag.hasPrefix("\""), tag.hasSuffix("\""), !tag.dropFirst().dropLast().contains("\"")
        else {
            throw .badHeader(.ifMatch, "It must be one entity tag.")
        }
        guard let version = Int64(tag.dropFirst().dropLast()), version >= 0 else {
            throw .preconditionFailed(version: nil)
        }
        return version
    }

    /// The idempotency key, bare or as a quoted string of RFC 8941.
    package func idempotencyKey() throws(Problem) -> String? {
        guard let text = headers[.idempotencyKey]?.trimmed else { return nil }
        var key = text[...]
        if key.hasPrefix("\"") {
            guard key.count >= 2, key.hasSuffix("\"") else {
                throw .badHeader(.idempotencyKey, "The quoted string does not end.")
            }
            key = key.dropFirst().dropLast()
        }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ 0x20...0x7E ~= $0 && $0 != 0x22 && $0 != 0x5C })
        else {
            throw .badHeader(.idempotencyKey, "It must be 1 to 255 visible ASCII characters without quotes.")
        }
        return String(key)
    }

    /// How long the caller would wait for the end of what it started (`Prefer: wait=20`), at most a minute.
    package var patience: Duration? {
        for preference in (headers[.prefer] ?? "").split(whereSeparator: { $0 == "," || $0 == ";" }) {
            let parts = preference.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            if parts.count == 2, parts[0].lowercased() == "wait", let seconds = Int(parts[1]), seconds > 0 {
                return .seconds(min(seconds, 60))
            }
        }
        return nil
    }

    /// The position that the answer must reflect.
    package var minimumPosition: Int64? { query["min-position"].flatMap { Int64($0) } }

    /// The moment that is asked about; `nil` when it is now.
    package var moment: Moment? {
        get throws(Problem) {
            var wanted: [Moment] = []
            if let text = query["as_of"] {
                guard let time = Timestamp(text) else {
                    throw .invalid([.init("must be a time as RFC 3339 writes it", parameter: "as_of")])
                }
                wanted.append(.time(time))
            }
            if let position = query["position"].flatMap({ Int64($0) }) { wanted.append(.position(position)) }
            if let version = query["version"].flatMap({ Int64($0) }) { wanted.append(.version(version)) }
            guard wanted.count < 2 else {
                throw .invalid([.init("excludes the other ways to say when", parameter: "as_of")])
            }
            return wanted.first
        }
    }

    /// How many things a list may have.
    package var limit: Int { query["limit"].flatMap { Int($0) } ?? 50 }

    /// Where a stream goes on: Last-Event-ID of a reader that comes back, or `after`.
    ///
    /// - Returns: `nil` inside when the reader names a position that cannot be one.
    package var resume: Resume {
        if let text = headers[.lastEventID]?.trimmed, !text.isEmpty {
            return Int64(text).flatMap { $0 >= 0 ? .after($0) : nil } ?? .unknown
        }
        return query["after"].flatMap { Int64($0) }.map { .after($0) } ?? .start
    }

    /// Where a reader of a stream wants to begin.
    package enum Resume: Sendable, Equatable {
        case start
        case after(Int64)
        /// It names a position that was never one.
        case unknown
    }
}

extension String {
    /// Without spaces and tabs at its ends.
    var trimmed: String {
        let blank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard let first = utf8.firstIndex(where: { !blank($0) }), let last = utf8.lastIndex(where: { !blank($0) })
        else { return "" }
        return String(self[first...last])
    }
}

/// The query parameters that many routes share.
extension Route.Parameter {
    package static let minimumPosition = Route.Parameter(
        "min-position",
        .integer(0...Int64.max),
        "The answer must reflect this log position; it is waited for, for a while."
    )
    package static let limit = Route.Parameter("limit", .integer(1...200), "How many; 50 when it is not said.")
    package static let after = Route.Parameter("after", .string(1...1000), "`next` of the page before.")

    /// What everything takes that can be asked for as it was.
    package static let past: [Route.Parameter] = [
        .init("as_of", .time, "The answer is what it was at this time."),
        .init("position", .position, "The answer is what it was when the log had got so far."),
    ]

    /// What every list takes.
    package static let list = [limit, after, minimumPosition]
}
