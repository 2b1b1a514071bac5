/// A point in the life of a stream, as people name one.
package enum Moment: Sendable, Equatable {
    /// After so many events of the stream.
    case version(Int64)
    /// When the log had got so far.
    case position(Int64)
    /// After everything that was recorded at or before this time.
    case time(Timestamp)
    /// After everything there is.
    case now

    /// Whether an event of the stream had happened by then.
    package func includes(version: Int64, position: Int64, recordedAt: Timestamp) -> Bool {
        switch self {
        case .version(let last): version <= last
        case .position(let last): position <= last
        case .time(let last): recordedAt <= last
        case .now: true
        }
    }
}

extension Moment: CustomStringConvertible {
    package var description: String {
        switch self {
        case .version(let version): "version:\(version)"
        case .position(let position): "position:\(position)"
        case .time(let time): time.description
        case .now: "now"
        }
    }

    /// Reads `now`, `version:3` or just `3`, `position:17`, or an RFC 3339 time; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if text == "now" {
            self = .now
        } else if let number = Self.number(text) {
            self = .version(number)
        } else if parts.count == 2, parts[0] == "version", let number = Self.number(parts[1]) {
            self = .version(number)
        } else if parts.count == 2, parts[0] == "position", let number = Self.number(parts[1]) {
            self = .position(number)
        } else if let time = Timestamp(text) {
            self = .time(time)
        } else {
            return nil
        }
    }

    private static func number(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ 48...57 ~= $0 }) else { return nil }
        return Int64(text)
    }
}
