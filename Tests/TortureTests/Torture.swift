import Glibc
import Testing

/// Campaigns against the log: things are killed, cut, stopped and filled while it is written and read.
///
/// One after the other, because each wants the machine for itself. `SIGNALBOX_TORTURE=full` makes them long.
@Suite("Torture", .serialized)
enum Torture {
    /// How long the campaigns are.
    enum Size {
        /// A few minutes in all.
        case bounded
        /// An hour or so.
        case full

        static let current: Size = getenv("SIGNALBOX_TORTURE").map { String(cString: $0) } == "full" ? .full : .bounded
    }

    static func size(bounded: Int, full: Int) -> Int {
        Size.current == .full ? full : bounded
    }
}
