import Commands
import Domain
import SignalboxTestKit
import Testing

@Suite("The slots of an instance")
struct InstanceSlotTests {
    private typealias Facts = InstanceFacts

    private static let release = ReleaseSnapshot(application: "railzway", version: "v2", image: "railzway:v2")
    private static let wish = InstanceEvent.ChangeRequested(
        change: InstanceChange.version,
        from: "v1",
        to: "v2",
        release: release
    )
    private static let changing = Facts.history(of: .running) + [.changeRequested(wish)]
    private static let deployed = InstanceEvent.SlotDeployed(
        slot: "b",
        release: "v2",
        job: "j-b",
        jobVersion: 0,
        modifyIndex: 9,
        specHash: "f",
        generation: 1
    )
    private static let old = InstanceEvent.SlotMoved(slot: "a", release: "v1", generation: 1)
    private static let new = InstanceEvent.SlotMoved(slot: "b", release: "v2", generation: 1)
    private static let lease = InstanceEvent.LeaseHandedOver(slot: "b", epoch: 2, generation: 1)
    private static let ready = changing + [.slotDeployed(deployed), .slotReady(new)]

    private static func weights(_ reads: Int, _ writes: Int) -> InstanceEvent.TrafficShifted {
        InstanceEvent.TrafficShifted(
            router: "org-1",
            weights: [
                .init(slot: "a", service: "j", reads: 100 - reads, writes: 100 - writes),
                .init(slot: "b", service: "j-b", reads: reads, writes: writes),
            ],
            generation: 1
        )
    }

    @Test("one slot takes over from the other, each fact once, and then the instance is in that one")
    func takeover() {
        let steps: [(Instance.Command, InstanceEvent)] = [
            (.deploySlot(Self.deployed), .slotDeployed(Self.deployed)),
            (.moveSlot(.ready, Self.new), .slotReady(Self.new)),
            (.shiftTraffic(Self.weights(10, 0)), .trafficShifted(Self.weights(10, 0))),
            (.shiftTraffic(Self.weights(100, 100)), .trafficShifted(Self.weights(100, 100))),
            (.recordLease(Self.lease), .leaseHandedOver(Self.lease)),
            (.moveSlot(.draining, Self.old), .slotDraining(Self.old)),
            (.moveSlot(.serving, Self.new), .slotServing(Self.new)),
            (
                .publishRoute(.init(router: "org-1", host: "acme.test", service: "j-b", generation: 1)),
                .routePublished(.init(router: "org-1", host: "acme.test", service: "j-b", generation: 1))
            ),
            (.moveSlot(.retired, Self.old), .slotRetired(Self.old)),
        ]
        var history = Self.changing
        for (command, event) in steps {
            given(Instance.self, after: history).when(command).then(event)
            history.append(event)
            given(Instance.self, after: history).when(command).then()
        }
        let model = Instance(replaying: history)
        #expect(model.serving == "b" && model.weights == nil && model.lease?.epoch == 2)
        #expect(model.slotStage("a") == .retired && model.slotStage("b") == .serving)
    }

    @Test("before it serves everything can be taken back, and what was never there is nothing to record")
    func back() {
        given(Instance.self, after: Self.changing).when(.moveSlot(.retired, Self.new)).then()
        given(Instance.self, after: Self.changing).when(.shiftTraffic(Self.weights(0, 0))).then()
        let held = InstanceEvent.LeaseHandedOver(slot: "a", epoch: 1, generation: 1)
        given(Instance.self, after: Self.changing).when(.recordLease(held)).then()
        given(Instance.self, after: Self.ready).when(.moveSlot(.retired, Self.new)).then(.slotRetired(Self.new))
        let shifted = Self.ready + [.trafficShifted(Self.weights(50, 0))]
        given(Instance.self, after: shifted).when(.shiftTraffic(Self.weights(0, 0)))
            .then(.trafficShifted(Self.weights(0, 0)))
        let handed = shifted + [.leaseHandedOver(Self.lease), .slotDraining(Self.old)]
        let returned = InstanceEvent.LeaseHandedOver(slot: "a", epoch: 3, generation: 1)
        given(Instance.self, after: handed).when(.recordLease(returned)).then(.leaseHandedOver(returned))
        given(Instance.self, after: handed).when(.moveSlot(.serving, Self.old)).then(.slotServing(Self.old))
        #expect(Instance(replaying: handed + [.slotServing(Self.old)]).serving == "a")
    }

    @Test("a slot comes from nowhere but where it is, and its traffic and lease only during a change")
    func refused() {
        given(Instance.self, after: Self.changing).when(.moveSlot(.serving, Self.new)).refused(.slotMisplaced)
        given(Instance.self, after: Self.ready).when(.moveSlot(.draining, Self.new)).refused(.slotMisplaced)
        given(Instance.self, after: Self.changing).when(.moveSlot(.retired, Self.old)).refused(.slotMisplaced)
        var taken = Self.deployed
        taken.slot = "a"
        given(Instance.self, after: Self.changing).when(.deploySlot(taken)).refused(.slotMisplaced)
        let running = Facts.history(of: .running)
        given(Instance.self, after: running).when(.deploySlot(Self.deployed)).refused(.notChanging)
        given(Instance.self, after: running).when(.shiftTraffic(Self.weights(10, 0))).refused(.notChanging)
        given(Instance.self, after: running).when(.recordLease(Self.lease)).refused(.notChanging)
        let late = InstanceEvent.LeaseHandedOver(slot: "a", epoch: 2, generation: 1)
        given(Instance.self, after: Self.ready + [.leaseHandedOver(Self.lease)])
            .when(.recordLease(late)).refused(.staleEpoch)
        var stale = Self.new
        stale.generation = 2
        given(Instance.self, after: Self.ready).when(.moveSlot(.serving, stale)).refused(.staleGeneration)
    }

    @Test("the version that runs already is not asked for again")
    func same() {
        var wish = Self.wish
        wish.to = "v1"
        given(Instance.self, after: Facts.history(of: .running)).when(.requestChange(wish)).refused(.sameRelease)
    }
}
