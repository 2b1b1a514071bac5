package import Platform

/// What goes wrong, where, and what else happens.
package struct Schedule: Sendable, CustomStringConvertible {
    package enum Fault: Sendable, Equatable {
        /// The process is gone.
        case crash
        /// The process is gone, and its request lands later.
        case inFlight
        /// The process stands still and goes on later, believing that nothing has changed.
        case zombie
        /// The effect happens, the answer is lost.
        case lost
        /// The call takes longer than anybody waits; its effect lands later.
        case late
        /// The target answers with an error.
        case error(PortError)

        /// Faults that end the process, or what it believes in.
        package static let ofProcess: [Fault] = [.crash, .inFlight, .zombie]
        /// The answer comes too late, or not at all, and the process goes on.
        package static let lateness: [Fault] = [.lost, .late]
        /// What targets answer.
        package static let errors: [Fault] = [
            .error(.transient(code: "503", message: "unwell")),
            .error(.unknown(code: "reset", message: "connection reset")),
            .error(.conflict(code: "cas", message: "somebody was faster")),
            .error(.permanent(code: "400", message: "no way")),
            .error(.blocked(code: "402", message: "a person has to see to it")),
        ]

        /// What becomes of a process that it strikes; `nil` for one that stands still.
        var verdict: SimulatedProcess.Verdict? {
            switch self {
            case .crash: .die
            case .inFlight: .dieInFlight
            case .lost: .lose
            case .late: .delay
            case .error(let error): .fail(error)
            case .zombie: nil
            }
        }

        var isLate: Bool { self == .inFlight || self == .zombie || self == .late }

        /// Whether it makes sense at a point of a rehearsal, and is not the same as at the one before.
        func strikes(at moments: [Moment], _ index: Int) -> Bool {
            strikes(at: moments[index].label) && !(self == .crash && moments.isRepeated(index))
        }

        /// Whether it makes sense where a call is.
        func strikes(at point: SimulatedProcess.Point) -> Bool {
            switch (self, point) {
            case (.crash, _): !point.isRead
            // A read has no effect, and an append that nobody waits for any more is caught by the version it expects.
            case (.inFlight, .before), (.late, .before): !point.isLog
            case (.zombie, _): !point.isRead
            case (.lost, .after): true
            // The log answers with errors of its own, all of which mean: not now.
            case (.error(.transient), .before): true
            case (.error, .before): !point.isLog
            default: false
            }
        }
    }

    /// Which fault strikes one process, at which of its points.
    package struct Strike: Sendable, CustomStringConvertible {
        package var fault: Fault
        package var point: Int
        package var label: SimulatedProcess.Point
        /// Whether the organization is deleted at that very moment.
        package var deletes = false

        package var description: String { "\(fault) at \(point) \(label)\(deletes ? ", deleted" : "")" }
    }

    /// One for each process; the one after them suffers nothing.
    package var strikes: [Strike]
    /// At which point of the last process whatever is late shows up; `nil` for after its end.
    package var late: Int?

    package var description: String {
        strikes.map(\.description).joined(separator: "; ") + (late.map { "; late at \($0)" } ?? "")
    }
}
