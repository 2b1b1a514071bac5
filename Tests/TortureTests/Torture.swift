import EventStore
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

    /// How many callers a writing process has: enough that a flush is often sent behind another.
    static let lanes = 96

    /// Only every so-manieth pair of faults is played; `SIGNALBOX_TORTURE_STRIDE` says another number.
    static var stride: Int {
        getenv("SIGNALBOX_TORTURE_STRIDE").flatMap { Int(String(cString: $0)) }.map { max(1, $0) }
            ?? size(bounded: 997, full: 1)
    }

    /// Part of a scenario's name; `SIGNALBOX_TORTURE_SCENARIO` says it when only some are to be played.
    static let scenario = getenv("SIGNALBOX_TORTURE_SCENARIO").map { String(cString: $0) }

    /// Under which durabilities the log is tried; `SIGNALBOX_TORTURE_DURABILITY` names one when the other can wait.
    static let durabilities = Durability.allCases.filter { durability in
        getenv("SIGNALBOX_TORTURE_DURABILITY").map { String(cString: $0) == "\(durability)" } ?? true
    }

    static func size(bounded: Int, full: Int) -> Int {
        Size.current == .full ? full : bounded
    }
}
