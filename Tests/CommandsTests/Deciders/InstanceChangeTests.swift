import Commands
import Domain
import SignalboxTestKit
import Testing

/// The part of the truth table of ``InstanceTests`` that is about changes.
enum InstanceChangeRows {
    private typealias Facts = InstanceFacts

    static let rows: [InstanceTests.Row] = {
        let nothing = InstanceTests.Verdict.nothing
        let one = InstanceTests.Verdict.makes(1)
        let none = InstanceTests.Verdict.refuses(.notRequested)
        let over = InstanceTests.Verdict.refuses(.terminated)
        let idle = InstanceTests.Verdict.refuses(.notRunning)
        let busy = InstanceTests.Verdict.refuses(.changing)
        let unasked = InstanceTests.Verdict.refuses(.notChanging)
        func row(_ name: String, _ command: Instance.Command, _ verdicts: InstanceTests.Verdict...) -> InstanceTests.Row
        {
            .init(name: name, command: command, verdicts: verdicts)
        }
        return [
            // absent, provisioning, failed, running, changing, stopping, stopped, starting, terminating, terminated
            row(
                "ask for a change",
                .requestChange(Facts.change),
                none,
                idle,
                idle,
                one,
                busy,
                idle,
                idle,
                idle,
                idle,
                over
            ),
            row(
                "changed",
                .recordChanged(Facts.changed),
                none,
                unasked,
                unasked,
                unasked,
                one,
                unasked,
                unasked,
                unasked,
                unasked,
                over
            ),
            row(
                "rolled back",
                .rollBackChange(Facts.rolledBack),
                none,
                unasked,
                unasked,
                nothing,
                one,
                unasked,
                unasked,
                unasked,
                nothing,
                over
            ),
            row(
                "rotated",
                .recordRotation(Facts.rotated),
                none,
                unasked,
                unasked,
                unasked,
                unasked,
                unasked,
                unasked,
                unasked,
                unasked,
                over
            ),
        ]
    }()
}

@Suite("Changes of an instance")
struct InstanceChangeTests {
    private typealias Facts = InstanceFacts

    @Test("a rotation is the next number, recorded once, and only while one was asked for")
    func rotation() {
        let asked = Facts.history(of: .running) + [.changeRequested(.init(change: "credentials", from: "1", to: "2"))]
        given(Instance.self, after: asked).when(.recordRotation(Facts.rotated)).then(.credentialsRotated(Facts.rotated))
        var fact = Facts.rotated
        fact.rotation = 3
        given(Instance.self, after: asked).when(.recordRotation(fact)).refused(.otherCredentials)
        fact = Facts.rotated
        fact.generation = 2
        given(Instance.self, after: asked).when(.recordRotation(fact)).refused(.staleGeneration)
        let rotated = asked + [.credentialsRotated(Facts.rotated)]
        #expect(Instance(replaying: rotated).credentials == Facts.rotated)
        let changed = InstanceEvent.Changed(change: "credentials", from: "1", to: "2")
        given(Instance.self, after: rotated).when(.recordChanged(changed)).then(.changed(changed))
        given(Instance.self, after: rotated).when(.recordChanged(Facts.changed)).refused(.notChanging)
    }
}
