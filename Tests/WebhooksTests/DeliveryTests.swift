import Commands
import Domain
import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Synchronization
import Testing

@testable import Webhooks

@Suite("Telling webhooks, in Postgres")
struct DeliveryTests {
    @Test("an event is told once to each webhook that wants it, from its registration on, however many plan and tell")
    func once() async throws {
        try await Stage.open { stage in
            try await stage.rename("before")
            let all = try await stage.register(["*"])
            let some = try await stage.register(["organization.renamed"])
            try await stage.rename("after")
            try await stage.plan()
            try await stage.tell(by: 3)
            let events = try await stage.log.read(Streams.organization(stage.organization), after: 0, limit: 50)
            let renamed = try #require(events.last { $0.type == "organization.renamed" })
            let told = stage.calls.all
            // The first is also told of the second; neither of itself, nor of what was before.
            #expect(told.count == 3)
            #expect(told.filter { $0.id == renamed.id.description }.count == 2)
            for call in told {
                #expect(call.body == "event \(call.position(in: events) ?? 0)")
                #expect(call.header("content-type") == "application/cloudevents+json")
                #expect(call.header("webhook-signature")?.hasPrefix("v1,") == true)
            }
            #expect(try await stage.statuses(all) == [.delivered, .delivered])
            #expect(try await stage.statuses(some) == [.delivered])
        }
    }

    @Test("what was sent and not noted is sent again with the same id, and by nobody else meanwhile")
    func crash() async throws {
        try await Stage.open { stage in
            let webhook = try await stage.register(["organization.renamed"])
            try await stage.rename("Emca")
            try await stage.plan()
            // Claimed and sent, and then the process dies.
            let claimed = try await stage.store.claim(10, for: .seconds(3600))
            #expect(claimed.count == 1)
            try await stage.tell(by: 2)
            #expect(stage.calls.all.isEmpty)
            try await stage.run("UPDATE hook.delivery SET claimed_until = now()")
            try await stage.tell(by: 2)
            #expect(stage.calls.all.map(\.id) == claimed.map(\.event.description))
            // Who comes back from the dead notes nothing any more.
            try await stage.store.settle(try #require(claimed.first), .failed, answered: nil, problem: "late")
            #expect(try await stage.statuses(webhook) == [.delivered])
        }
    }

    @Test("who does not answer well is tried by the schedule, then disabled, and told again when asked for")
    func schedule() async throws {
        try await Stage.open { stage in
            let webhook = try await stage.register(["organization.renamed"])
            try await stage.rename("Emca")
            try await stage.plan()
            stage.calls.answers([
                .success(.init(status: 500)), .failure(.init("no connection")), .success(.init(status: 302)),
            ])
            for _ in 0..<4 { try await stage.tell(by: 1) }
            #expect(stage.calls.all.count == 3)
            let failed = try #require(try await stage.store.list(of: webhook, before: nil, limit: 5).first)
            #expect(failed.status == .failed && failed.attempts == 3 && failed.answered == 302)
            #expect(try await stage.desk.webhooks(of: stage.organization).first?.webhook.disabled != nil)
            try await stage.plan()
            try await stage.rename("Third")
            try await stage.plan()
            // Disabled: what happens is not kept for it, and nothing is told.
            #expect(try await stage.statuses(webhook) == [.failed])
            _ = try await stage.desk.enableWebhook(webhook, of: stage.organization, by: .own(ids: .system))
            try await stage.plan()
            #expect(try await stage.store.redeliver(failed.event, to: webhook))
            try await stage.tell(by: 1)
            #expect(try await stage.statuses(webhook) == [.delivered])
            #expect(Set(stage.calls.all.map(\.id)) == [failed.event.description])
        }
    }

    @Test("who is given up is among the dead letters until it is enabled again, and who was disabled by hand is not")
    func givenUp() async throws {
        try await Stage.open { stage in
            let first = try await stage.register(["organization.renamed"])
            let second = try await stage.register(["organization.suspended"])
            try await stage.rename("Emca")
            try await stage.plan()
            stage.calls.answers([.success(.init(status: 410))])
            try await stage.tell(by: 1)
            _ = try await stage.desk.disableWebhook(
                second,
                of: stage.organization,
                because: "asked for",
                by: .own(ids: .system)
            )
            try await stage.plan()
            let found = try await stage.store.givenUp(after: nil, limit: 5)
            #expect(found.map(\.webhook) == [first] && found.first?.organization == stage.organization)
            let failed = try await stage.store.list(of: first, before: nil, limit: 1).first
            #expect(found.first?.position == failed?.position && found.first?.problem.isEmpty == false)
            #expect(try await stage.store.givenUp(after: first, limit: 5).isEmpty)
            _ = try await stage.desk.enableWebhook(first, of: stage.organization, by: .own(ids: .system))
            try await stage.plan()
            #expect(try await stage.store.givenUp(after: nil, limit: 5).isEmpty)
        }
    }

    @Test("410 disables at once, and Retry-After is heeded")
    func answers() async throws {
        try await Stage.open { stage in
            let webhook = try await stage.register(["organization.renamed"])
            try await stage.rename("Emca")
            try await stage.plan()
            stage.calls.answers([
                .success(.init(status: 429, retryAfter: .seconds(3600))), .success(.init(status: 410)),
            ])
            try await stage.tell(by: 2)
            #expect(stage.calls.all.count == 1)
            try await stage.run("UPDATE hook.delivery SET due = now()")
            try await stage.tell(by: 2)
            #expect(stage.calls.all.count == 2)
            #expect(try await stage.statuses(webhook) == [.failed])
            #expect(try await stage.desk.webhooks(of: stage.organization).first?.webhook.disabled != nil)
        }
    }

    @Test("a rotated secret signs beside the one before, and nothing is sent that nobody can check")
    func secrets() async throws {
        try await Stage.open { stage in
            let webhook = try await stage.register(["organization.renamed"])
            _ = try await stage.desk.rotateWebhookSecret(webhook, of: stage.organization, by: .own(ids: .system))
            try await stage.rename("Emca")
            try await stage.plan()
            try await stage.tell(by: 1)
            #expect(stage.calls.all.first?.header("webhook-signature")?.split(separator: " ").count == 2)
            try await stage.vault.erase(Streams.organization(stage.organization).text)
            try await stage.rename("Third")
            try await stage.plan()
            try await stage.tell(by: 1)
            #expect(stage.calls.all.count == 1)
        }
    }

    @Test("a webhook that is removed is forgotten with what it was to be told")
    func removed() async throws {
        try await Stage.open { stage in
            let webhook = try await stage.register(["*"])
            try await stage.rename("Emca")
            _ = try await stage.desk.removeWebhook(webhook, of: stage.organization, by: .own(ids: .system))
            try await stage.plan()
            try await stage.tell(by: 1)
            #expect(stage.calls.all.isEmpty)
            #expect(try await stage.statuses(webhook).isEmpty)
        }
    }
}

/// One call as the other side gets it.
struct HeardCall: Sendable {
    var headers: [(String, String)]
    var body: String

    var id: String { header("webhook-id") ?? "" }
    func header(_ name: String) -> String? { headers.first { $0.0 == name }?.1 }
    func position(in events: [RecordedEvent]) -> Int64? { events.first { $0.id.description == id }?.position }
}

/// What was called, and what it answers.
final class Calls: Sendable {
    private let state = Mutex((heard: [HeardCall](), answers: [Result<WebhookAnswer, WebhookFailure>]()))
    var all: [HeardCall] { state.withLock { $0.heard } }
    func answers(_ answers: [Result<WebhookAnswer, WebhookFailure>]) { state.withLock { $0.answers = answers } }

    func take(_ headers: [(String, String)], _ body: [UInt8]) -> Result<WebhookAnswer, WebhookFailure> {
        state.withLock { state in
            state.heard.append(HeardCall(headers: headers, body: String(decoding: body, as: UTF8.self)))
            return state.answers.isEmpty ? .success(.init(status: 204)) : state.answers.removeFirst()
        }
    }
}

/// An organization in a log of its own, and who calls its webhooks.
struct Stage: Sendable {
    let pool: Pool
    let log: PostgresLog
    let desk: CommandDesk
    let vault: Vault
    let organization: OrganizationID
    let calls = Calls()
    var store: WebhookStore { WebhookStore(pool: pool) }

    static func open(_ body: (Stage) async throws -> Void) async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let (log, pool) = (running.log, running.pool)
                let keys = try MasterKeys([1: (0..<32).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 7) ^ 0x5A }])
                let vault = Vault(keys: keys, subjects: PostgresSubjectKeys(pool: pool))
                let desk = CommandDesk(
                    log: log,
                    claims: log,
                    vault: vault,
                    settings: .init(catalogue: Catalogue(offers: []), host: { "\($1).\($0).test" })
                )
                let user = try await desk.registerUser(issuer: "local", subject: "a", by: .own(ids: .system)).answer
                    .user
                let made = try await desk.createOrganization(
                    name: "Acme",
                    slug: "acme",
                    by: .own(Principal(.user(user)), ids: .system)
                )
                let id = made.answer.organization
                try await body(Stage(pool: pool, log: log, desk: desk, vault: vault, organization: id))
            }
        }
    }

    func register(_ types: [String]) async throws -> UniqueID {
        try await desk.registerWebhook(
            of: organization,
            url: "https://hooks.example/a",
            types: types,
            by: .own(ids: .system)
        ).answer.webhook
    }

    func rename(_ name: String) async throws {
        _ = try await desk.renameOrganization(organization, to: name, by: .own(ids: .system))
    }

    /// Plans everything, by two at the same time.
    func plan() async throws {
        let planner = WebhookPlanner(pool: pool, log: log, wake: Bell(), wakeup: { _ in })
        let end = try await log.frontier()
        while try await planner.position() < end {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<2 { group.addTask { _ = try? await planner.turn() } }
            }
        }
    }

    /// Tells everything that is due, by so many at the same time.
    func tell(by number: Int) async throws {
        let (calls, desk) = (calls, desk)
        let ports = WebhookSender.Ports(
            post: { _, headers, body in calls.take(headers, body) },
            body: { Array("event \($0)".utf8) },
            open: { secret in
                do throws(CommandError) {
                    return .success(try await desk.webhookSecret(secret))
                } catch { return .failure(WebhookFailure("\(error)")) }
            },
            disable: { organization, webhook, reason in
                let done = try? await desk.disableWebhook(
                    webhook,
                    of: organization,
                    because: reason,
                    by: .own(ids: .system)
                )
                return done != nil
            }
        )
        let settings = WebhookSender.Settings(schedule: [.zero, .zero])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<number {
                group.addTask {
                    let sender = WebhookSender(store: store, ports: ports, settings: settings, wake: Bell())
                    while await sender.turn() > 0 {}
                }
            }
        }
    }

    func statuses(_ webhook: UniqueID) async throws -> [WebhookDelivery.Status] {
        try await store.list(of: webhook, before: nil, limit: 50).map(\.status)
    }

    func run(_ sql: SQL) async throws {
        _ = try await pool.with { connection throws(PostgresError) in try connection.run(sql).count }
    }
}
