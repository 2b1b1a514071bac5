package import Kernel

/// A saga drawn for a terminal: its steps on a common line of time, what was tried, and what is next and why.
package struct SagaPicture {
    private let view: SagaView
    private let now: Timestamp
    private let width: Int

    /// - Parameters:
    ///   - view: What is drawn.
    ///   - now: The time, where the saga has not ended.
    ///   - width: Of the line of time, in characters.
    package init(_ view: SagaView, at now: Timestamp, width: Int = 32) {
        self.view = view
        self.now = max(now, view.startedAt)
        self.width = max(8, width)
    }

    /// The picture, line by line.
    package var lines: [String] {
        head + [""] + view.steps.flatMap(step) + events + [""] + tail
    }

    private var end: Timestamp { view.endedAt ?? now }

    private var head: [String] {
        var lines = [
            "\(view.kind) \(view.id) for \(view.subject)",
            "  \(view.status), version \(view.version), definition \(view.definition)",
        ]
        if let endedAt = view.endedAt {
            lines.append("  began \(view.startedAt), took \(Self.text(endedAt - view.startedAt))")
        } else {
            let left = view.deadline - now
            let deadline = left < .zero ? "\(Self.text(.zero - left)) ago" : "in \(Self.text(left))"
            lines.append("  began \(view.startedAt), \(Self.text(now - view.startedAt)) ago; to be through \(deadline)")
        }
        if let lease = view.lease {
            lines.append("  held by \(lease.owner) until \(lease.until), fence \(lease.fence)")
        }
        if let failure = view.failure { lines.append("  turned back: \(Self.clean(failure))") }
        return lines
    }

    private func step(_ step: SagaView.Step) -> [String] {
        let longest = view.steps.map(\.id.count).max() ?? 0
        var line = "  \(Self.sign(step)) \(Self.padded(step.id, longest))  "
        guard let began = step.startedAt else {
            return [line + (step.status == "skipped" ? "skipped" : "·")]
        }
        let ended = step.endedAt ?? end
        let took = Self.padded(Self.text(ended - began), 12)
        line += "▕\(bar(step.attempts))▏ \(took)"
        let tries = step.attempts.count
        if tries > 1 { line += " \(tries) attempts" }
        if step.pivot == true { line += " (no way back after it)" }
        if let condition = step.condition, step.status == "started" { line += " " + Self.clean(condition) }
        return [line] + attempts(of: step)
    }

    /// What went wrong, one line each; the last few where it is long.
    private func attempts(of step: SagaView.Step) -> [String] {
        let told = step.attempts.filter { $0.message != nil }
        var lines = told.suffix(Self.shown).map { attempt in
            let time = attempt.endedAt.map { Self.text($0 - attempt.startedAt) } ?? ""
            var line = "      \(attempt.undo ? "undo" : "attempt") \(attempt.number) at \(attempt.startedAt), \(time): "
            line += [attempt.outcome, attempt.code].compactMap(\.self).joined(separator: " ")
            if let message = attempt.message { line += ": " + Self.clean(message) }
            if let retryAt = attempt.retryAt, let endedAt = attempt.endedAt {
                line += "; again after \(Self.text(retryAt - endedAt))"
            }
            return line
        }
        if told.count > Self.shown { lines.insert("      … \(told.count - Self.shown) before these", at: 0) }
        return lines
    }

    /// What is not to be seen in the steps: deeds, inputs and turns.
    private var events: [String] {
        let told: Set = [
            "saga.operator-acted", "saga.cancel-requested", "saga.compensation-started", "saga.parked",
            "saga.input-received", "saga.input-ignored", "saga.abandoned", "saga.superseded", "saga.migrated",
        ]
        let lines = view.timeline.filter { told.contains($0.type) }.map { entry in
            let what = ["verb", "step", "reason", "why", "type"].compactMap { entry.data?[$0]?.string }
                .filter { !$0.isEmpty }
            return "  \(entry.at)  \(entry.type.dropFirst("saga.".count)) by \(entry.actor): "
                + Self.clean(what.joined(separator: ", "))
        }
        return lines.isEmpty ? [] : [""] + lines
    }

    private var tail: [String] {
        let next = view.next
        let what =
            switch next.action {
            case .nothing: "nothing"
            case .person: "a person" + (next.step.map { " at \($0)" } ?? "")
            case .queue: "its turn"
            case .underWay: next.step ?? "a step" + " is under way"
            case .attempt: next.step ?? "its end"
            case .undo: "undo of \(next.step ?? "a step")"
            }
        let time = next.at.map { at in
            at > now ? " at \(at), in \(Self.text(at - now))" : " now"
        }
        var lines = ["next: \(what)\(time ?? ""): \(Self.clean(next.why))"]
        if !view.deeds.isEmpty {
            let deeds = view.deeds.map(\.rawValue).joined(separator: ", ")
            lines.append("you can: \(deeds); with --version \(view.version) and --reason")
        }
        return lines
    }

    /// The attempts as bars, the pauses between them as dots.
    private func bar(_ attempts: [SagaAttempt]) -> String {
        let span = max(1, (end - view.startedAt).microseconds)
        func column(_ moment: Timestamp) -> Int {
            let share = Double((moment - view.startedAt).microseconds) / Double(span)
            return min(width - 1, max(0, Int(share * Double(width))))
        }
        var cells = [Character](repeating: " ", count: width)
        var last: Int?
        for attempt in attempts {
            let (from, to) = (column(attempt.startedAt), column(attempt.endedAt ?? end))
            if let last, last < from { for cell in (last + 1)..<max(last + 1, from) { cells[cell] = "·" } }
            for cell in from...max(from, to) { cells[cell] = attempt.undo ? "▒" : "█" }
            last = max(from, to)
        }
        return String(cells)
    }

    private static let shown = 5

    private static func sign(_ step: SagaView.Step) -> String {
        switch step.status {
        case "succeeded": "✓"
        case "skipped": "-"
        case "undone": "↶"
        case "undoing": "…"
        case "started": step.lastError == nil ? "…" : "!"
        default: " "
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Control characters from stored text must not reach a terminal.
    private static func clean(_ text: String) -> String {
        String(text.map { $0.unicodeScalars.contains { $0.value < 32 || $0.value == 127 } ? "·" : $0 })
    }

    /// A span for people: two units at most.
    package static func text(_ span: Duration) -> String {
        let milliseconds = span.milliseconds
        let seconds = milliseconds / 1000
        switch seconds {
        case ..<1: return "\(milliseconds) ms"
        case ..<60: return "\(seconds).\(milliseconds % 1000 / 100) s"
        case ..<3600: return "\(seconds / 60) min \(seconds % 60) s"
        case ..<86_400: return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
        default: return "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
        }
    }
}
