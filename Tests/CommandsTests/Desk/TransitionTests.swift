import Commands
import Domain
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("Stopping, starting and ending, at the desk")
struct TransitionTests {
    private let plane: Plane
    private let owner: Principal
    private let made: Onboarded

    init() async throws {
        plane = try await Plane()
        owner = try await plane.person()
        made = try await plane.onboarded(by: owner).answer
        try await record(.markRunning(.init(generation: 1, launchURL: "https://a.example")))
    }

    private func record(_ command: Instance.Command) async throws {
        try await plane.record(Instance.self, Streams.instance(made.instance), command)
    }

    @Test("the operation that is answered is the event that starts the saga")
    func operation() async throws {
        let stop = try await plane.desk.stopInstance(made.instance, by: .keyed("k", owner))
        let event = try #require(plane.log.events.last)
        #expect(event.type == "instance.stop-requested" && event.id == stop.answer.operation)
        let again = try await plane.desk.stopInstance(made.instance, by: .keyed("k", owner))
        #expect(again.repeated && again.answer == stop.answer)
        await #expect(throws: CommandError.instance(.notRunning)) {
            try await plane.desk.stopInstance(made.instance, by: .once(owner))
        }
        await #expect(throws: CommandError.instance(.notStopped)) {
            try await plane.desk.startInstance(made.instance, by: .once(owner))
        }
        try await record(.markStopped)
        let start = try await plane.desk.startInstance(made.instance, by: .once(owner))
        #expect(plane.log.events.last?.type == "instance.start-requested")
        #expect(plane.log.events.last?.id == start.answer.operation)
    }

    @Test("the subscription's commands are the instance's")
    func aliases() async throws {
        let paused = try await plane.desk.pauseSubscription(made.subscription, by: .once(owner))
        #expect(plane.log.events.last?.type == "instance.stop-requested")
        #expect(plane.log.events.last?.id == paused.answer.operation)
        try await record(.markStopped)
        _ = try await plane.desk.resumeSubscription(made.subscription, by: .once(owner))
        #expect(plane.log.events.last?.type == "instance.start-requested")
        await #expect(throws: CommandError.notFound) {
            try await plane.desk.pauseSubscription(IDSource.system.identifier(), by: .once(owner))
        }
    }

    @Test("a suspended organization may stop, and may not start")
    func suspended() async throws {
        let organization = Streams.organization(made.organization)
        try await plane.record(Organization.self, organization, .suspend(reason: "unpaid"))
        _ = try await plane.desk.stopInstance(made.instance, by: .once(owner))
        try await record(.markStopped)
        await #expect(throws: CommandError.organization(.suspended)) {
            try await plane.desk.startInstance(made.instance, by: .once(owner))
        }
    }

    @Test("who may not operate changes nothing")
    func access() async throws {
        let viewer = Principal(.organizationKey(IDSource.system.identifier(), made.organization, .viewer))
        let stranger = try await plane.person("stranger")
        let size = plane.log.events.count
        for (principal, error) in [(viewer, CommandError.forbidden), (stranger, .notFound)] {
            await #expect(throws: error) { try await plane.desk.stopInstance(made.instance, by: .once(principal)) }
            await #expect(throws: error) { try await plane.desk.startInstance(made.instance, by: .once(principal)) }
            await #expect(throws: error) {
                try await plane.desk.pauseSubscription(made.subscription, by: .once(principal))
            }
        }
        #expect(plane.log.events.count == size)
    }

    @Test("an instance is terminated once, also while its organization is suspended or deleted")
    func terminate() async throws {
        let organization = Streams.organization(made.organization)
        try await plane.record(Organization.self, organization, .suspend(reason: "unpaid"))
        let receipt = try await plane.desk.terminateInstance(made.instance, by: .once(owner))
        #expect(plane.log.events.last?.type == "instance.termination-requested")
        #expect(plane.log.events.last?.id == receipt.answer.operation)
        await #expect(throws: CommandError.instance(.terminating)) {
            try await plane.desk.terminateInstance(made.instance, by: .once(owner))
        }
        try await record(.markTerminated)
        await #expect(throws: CommandError.instance(.terminated)) {
            try await plane.desk.terminateInstance(made.instance, by: .once(owner))
        }
    }

    @Test("a subscription is cancelled for the end of its period, once, or at once")
    func cancel() async throws {
        let stream = Streams.subscription(made.subscription)
        await #expect(throws: CommandError.subscription(.notActive)) {
            try await plane.desk.cancelSubscription(made.subscription, immediately: false, by: .once(owner))
        }
        try await plane.record(Subscription.self, stream, .recordDraft(billingID: "b", generation: 1))
        try await plane.record(Subscription.self, stream, .recordActivated(anchor: IDSource.system.now()))
        let later = try await plane.desk.cancelSubscription(made.subscription, immediately: false, by: .once(owner))
        let event = try #require(plane.log.events.last)
        #expect(event.type == "subscription.cancellation-requested" && event.id == later.answer.operation)
        #expect(event.organization == made.organization)
        await #expect(throws: CommandError.subscription(.cancellationRequested)) {
            try await plane.desk.cancelSubscription(made.subscription, immediately: false, by: .once(owner))
        }
        _ = try await plane.desk.cancelScheduledChange(of: made.instance, by: .once(owner))
        #expect(plane.log.events.last?.type == "subscription.cancellation-withdrawn")
        await #expect(throws: CommandError.subscription(.nothingScheduled)) {
            try await plane.desk.cancelScheduledChange(of: made.instance, by: .once(owner))
        }
        _ = try await plane.desk.cancelSubscription(made.subscription, immediately: false, by: .once(owner))
        _ = try await plane.desk.cancelSubscription(made.subscription, immediately: true, by: .once(owner))
        #expect(plane.log.events.last?.type == "instance.termination-requested")
        // What has begun to end is not taken back.
        await #expect(throws: CommandError.instance(.terminating)) {
            try await plane.desk.cancelScheduledChange(of: made.instance, by: .once(owner))
        }
    }

    @Test("only an owner deletes an organization, once, and then it has no new work")
    func deleteOrganization() async throws {
        let admin = Principal(.organizationKey(IDSource.system.identifier(), made.organization, .admin))
        await #expect(throws: CommandError.forbidden) {
            try await plane.desk.deleteOrganization(made.organization, by: .once(admin))
        }
        let stranger = try await plane.person("stranger")
        await #expect(throws: CommandError.notFound) {
            try await plane.desk.deleteOrganization(made.organization, by: .once(stranger))
        }
        let receipt = try await plane.desk.deleteOrganization(made.organization, by: .keyed("k", owner))
        #expect(plane.log.events.last?.type == "organization.deletion-requested")
        #expect(plane.log.events.last?.id == receipt.answer.operation)
        let again = try await plane.desk.deleteOrganization(made.organization, by: .keyed("k", owner))
        #expect(again.repeated && again.answer == receipt.answer)
        for command in [plane.desk.stopInstance, plane.desk.startInstance] {
            await #expect(throws: CommandError.organization(.deleting)) {
                try await command(made.instance, .once(owner))
            }
        }
        await #expect(throws: CommandError.organization(.deleting)) {
            try await plane.desk.deleteOrganization(made.organization, by: .once(owner))
        }
        await #expect(throws: CommandError.organization(.deleting)) {
            try await plane.desk.requestInstance(
                of: made.organization,
                name: "late",
                price: "team-monthly",
                by: .once(owner)
            )
        }
    }
}
