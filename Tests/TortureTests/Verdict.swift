import EventStore
import Glibc
import Testing

/// What a campaign found.
struct Verdict: Sendable {
    let campaign: String
    /// How often something was killed, cut, stopped or filled.
    var cycles = 0
    /// Events in the log at the end.
    var events = 0
    var acknowledged = 0
    /// Acknowledged and not in the log, or elsewhere in it.
    var lost = 0
    /// In the log more than once.
    var duplicated = 0
    /// Never shown to a reader, or missing between two positions.
    var skipped = 0
    /// Shown to a reader and not in the log, or not the same.
    var phantom = 0
    /// The longest time in which nobody was acknowledged anything.
    var stall = Duration.zero
    /// What else is worth knowing.
    var notes: [String] = []

    init(_ campaign: String) {
        self.campaign = campaign
    }

    /// Prints the report, and appends it to the file that `SIGNALBOX_TORTURE_REPORT` names.
    func publish() {
        let numbers = [
            ("cycles", cycles), ("events", events), ("acknowledged", acknowledged), ("lost", lost),
            ("duplicated", duplicated), ("skipped", skipped), ("phantom", phantom),
        ]
        let stalled = Double(stall.components.seconds) + Double(stall.components.attoseconds) / 1e18
        let words =
            numbers.filter { $0.1 > 0 || !["cycles", "events", "acknowledged"].contains($0.0) }
            .map { "\($0.0) \($0.1)" } + ["longest stall \((stalled * 1000).rounded() / 1000) s"] + notes
        Self.publish("\(campaign): \(words.joined(separator: ", "))")
    }

    /// Prints one line of the report, and appends it to the file that `SIGNALBOX_TORTURE_REPORT` names.
    static func publish(_ text: String) {
        let line = "torture: \(text)\n"
        print(line, terminator: "")
        guard let path = getenv("SIGNALBOX_TORTURE_REPORT"), let file = fopen(path, "a") else { return }
        fputs(line, file)
        fclose(file)
    }

    /// Fails the test unless nothing is lost, doubled, skipped or made up.
    func expectClean(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(lost == 0, "acknowledged events were lost", sourceLocation: sourceLocation)
        #expect(duplicated == 0, "events are there twice", sourceLocation: sourceLocation)
        #expect(skipped == 0, "events were skipped", sourceLocation: sourceLocation)
        #expect(phantom == 0, "a reader saw what is not in the log", sourceLocation: sourceLocation)
    }
}
