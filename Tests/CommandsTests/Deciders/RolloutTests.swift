import Commands
import Domain
import Kernel
import SignalboxTestKit
import Testing

@Suite("Roll-outs")
struct RolloutTests {
    private static func started(_ waves: [String] = ["1", "50%", "100%"], tolerated: Int = 0) -> RolloutEvent.Started {
        RolloutEvent.Started(
            release: ReleaseSnapshot(application: "railzway", version: "v2", image: "railzway:v2"),
            minimumTier: .freeTrial,
            strategy: .zeroDowntime,
            waves: waves,
            bake: 60,
            tolerated: tolerated
        )
    }

    private static let running = [RolloutEvent.started(started())]
    private static let because = Because(reason: "asked")

    @Test("waves are begun and ended once, and then it is finished")
    func waves() {
        let begun = RolloutEvent.WaveStarted(wave: 1, instances: [], skipped: [], total: 3)
        let ended = RolloutEvent.WaveFinished(wave: 1, changed: [], failed: [])
        given(Rollout.self).when(.start(Self.started())).thenOnce(.started(Self.started()))
        given(Rollout.self, after: Self.running).when(.startWave(begun)).thenOnce(.waveStarted(begun))
        given(Rollout.self, after: Self.running + [.waveStarted(begun)]).when(.finishWave(ended))
            .thenOnce(.waveFinished(ended))
        given(Rollout.self, after: Self.running).when(.finish).thenOnce(.finished(.init()))
        given(Rollout.self, after: Self.running).when(.start(Self.started())).refused(.alreadyStarted)
        given(Rollout.self).when(.finish).refused(.notStarted)
    }

    private static func instance(_ number: UInt64) -> InstanceID {
        InstanceID(at: Timestamp(microseconds: 0), random: number)
    }

    @Test("a large wave begins in parts, each of which adds whoever is new, and ends once")
    func parts() {
        let (first, second, third) = (Self.instance(1), Self.instance(2), Self.instance(3))
        let skipped = RolloutEvent.Skipped(instance: third, reason: "it is stopped")
        func wave(
            _ number: Int,
            _ instances: [InstanceID],
            _ skipped: [RolloutEvent.Skipped] = []
        )
            -> RolloutEvent
            .WaveStarted
        {
            RolloutEvent.WaveStarted(wave: number, instances: instances, skipped: skipped, total: 3)
        }
        let begun = Self.running + [.waveStarted(wave(1, [first]))]
        given(Rollout.self, after: begun).when(.startWave(wave(1, [first, second], [skipped])))
            .thenOnce(.waveStarted(wave(1, [second], [skipped])))
        given(Rollout.self, after: begun).when(.startWave(wave(1, [first]))).then()
        let both = Rollout(replaying: begun + [.waveStarted(wave(1, [second], [skipped]))])
        #expect(both.asked == [first, second] && both.met == [first, second, third])
        for over in [RolloutEvent.paused(Self.because), .aborted(Self.because)] {
            given(Rollout.self, after: begun + [over]).when(.startWave(wave(2, [second]))).refused(.notRunning)
        }
        let ended = begun + [.waveFinished(.init(wave: 1, changed: [first], failed: []))]
        given(Rollout.self, after: ended).when(.startWave(wave(1, [second]))).then()
        #expect(Rollout(replaying: ended + [.waveStarted(wave(2, [second]))]).asked == [second])
    }

    @Test("it is paused, resumed and aborted, and what is over hears no word any more")
    func steered() {
        let paused = Self.running + [.paused(Self.because)]
        let aborted = paused + [.aborted(Self.because)]
        given(Rollout.self, after: Self.running).when(.pause(reason: "asked")).thenOnce(.paused(Self.because))
        given(Rollout.self, after: paused).when(.resume(reason: "asked")).thenOnce(.resumed(Self.because))
        given(Rollout.self, after: Self.running).when(.resume(reason: "asked")).refused(.notPaused)
        given(Rollout.self, after: paused).when(.abort(reason: "asked")).thenOnce(.aborted(Self.because))
        given(Rollout.self, after: aborted).when(.resume(reason: "asked")).refused(.aborted)
        // Its own word counts beside an operator's, and is not heard any more once it was aborted.
        for stage in [Self.running, paused] {
            given(Rollout.self, after: stage).when(.hold(reason: "asked")).thenOnce(.paused(Self.because))
        }
        given(Rollout.self, after: aborted).when(.hold(reason: "asked")).then()
        given(Rollout.self, after: aborted).when(.finish).then(.finished(.init()))
        #expect(Rollout(replaying: aborted + [.finished(.init())]).stage == .aborted)
        given(Rollout.self, after: Self.running + [.finished(.init())]).when(.pause(reason: "asked"))
            .refused(.finished)
    }

    @Test("malformed waves are refused", arguments: [[], ["0"], ["110%"], ["x"], ["50%", "10%"], ["1", "2%", "-3"]])
    func malformed(waves: [String]) {
        given(Rollout.self).when(.start(Self.started(waves))).refused(.wavesMalformed)
    }

    @Test("figures that cannot be are refused")
    func figures() {
        given(Rollout.self).when(.start(Self.started(tolerated: -1))).refused(.figuresMalformed)
        let many = Array(repeating: "1", count: Rollout.most + 1)
        given(Rollout.self).when(.start(Self.started(many))).refused(.wavesMalformed)
    }

    @Test("a wave goes so far: counts as they are, shares rounded up, and never further than there is")
    func ends() {
        func ends(_ text: String, of total: Int) -> Int? {
            (0...total).first { RolloutWave(text)?.isReached(asked: $0, here: $0, met: $0, of: total) ?? true }
        }
        #expect(ends("10%", of: 25) == 3 && ends("1%", of: 1) == 1 && ends("100%", of: 25) == 25)
        #expect(ends("30", of: 25) == 25 && ends("3", of: 25) == 3 && ends("3", of: 0) == 0)
        // Whoever is passed over is nobody's canary.
        #expect(RolloutWave("1")?.isReached(asked: 0, here: 0, met: 20, of: 25) == false)
        #expect(RolloutWave("10%")?.isReached(asked: 1, here: 0, met: 20, of: 25) == false)
        #expect(RolloutWave("2")?.isReached(asked: 1, here: 1, met: 20, of: 25) == false)
        #expect(RolloutWave("10%")?.description == "10%")
    }
}
