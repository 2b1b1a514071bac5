/// Why a file of the archive cannot be used.
///
/// The text names the file and is safe to show.
package enum SegmentError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The folder or the file is not here, or cannot be read or written.
    case missing(String)
    /// The file is not what was written.
    case damaged(String)

    package var description: String {
        switch self {
        case .missing(let text), .damaged(let text): text
        }
    }
}

extension LogError {
    /// What a file that cannot be used means for a reader: a missing one may come back, a damaged one is a violation.
    init(_ error: SegmentError) {
        switch error {
        case .missing(let text): self = .unavailable(text)
        case .damaged(let text): self = .violated(text)
        }
    }
}
