internal import Adapters
internal import Audit
internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Logging
internal import Postgres
internal import Server
internal import Webhooks

/// Webhooks of one process: who decides what is told, and who tells it.
struct WebhookService: Sendable {
    private let planner: WebhookPlanner
    private let sender: WebhookSender

    /// - Parameters:
    ///   - pool: As the role `signalbox_append`.
    ///   - log: What is told of.
    ///   - desk: Where webhooks are disabled, and their secrets opened.
    ///   - stage: In development, addresses of this machine may be called.
    ///   - logger: For operators.
    init(pool: Pool, log: PostgresLog, desk: CommandDesk, stage: Stage, logger: Logger) {
        let (wake, bell) = (Bell(), log.bell)
        let window = LogWindow(log: log, bell: bell, erased: PostgresErasedSubjects(pool: pool))
        planner = WebhookPlanner(
            pool: pool,
            log: log,
            wake: wake,
            logger: logger,
            wakeup: { span in await bell.wait(after: bell.count, atMost: span) }
        )
        let caller = WebhookCaller(allowsPrivate: stage == .development)
        sender = WebhookSender(
            store: WebhookStore(pool: pool),
            ports: .init(
                post: { address, headers, body in
                    await caller.post(address, headers: headers, body: body)
                        .map { WebhookAnswer(status: $0.status, retryAfter: $0.retryAfter) }
                        .mapError { WebhookFailure($0.text) }
                },
                body: { position in
                    do {
                        guard let event = try await window.history.event(at: position) else { return nil }
                        return try JSON.encode(try await window.view(event).cloudEvent)
                    } catch { return nil }
                },
                open: { secret in
                    do throws(CommandError) {
                        return .success(try await desk.webhookSecret(secret))
                    } catch { return .failure(WebhookFailure("the secret cannot be opened now")) }
                },
                disable: { organization, webhook, reason in
                    do throws(CommandError) {
                        let envelope = CommandEnvelope.own(ids: .system)
                        _ = try await desk.disableWebhook(webhook, of: organization, because: reason, by: envelope)
                        return true
                    } catch {
                        // It is not there any more: what was to be told goes with it.
                        return error == .organization(.unknownWebhook)
                    }
                }
            ),
            wake: wake,
            logger: logger
        )
    }

    /// Plans and tells until it is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await planner.run() }
            group.addTask { await sender.run() }
        }
    }
}

extension WebhookCaller.Failure {
    fileprivate var text: String {
        switch self {
        case .unknownHost: "the name of the host is not known"
        case .forbiddenAddress: "the host has an address that may not be called"
        case .plain: "the address is not of https"
        case .unreachable: "no connection, or it was lost"
        case .timeout: "no answer in time"
        }
    }
}

extension WebhookDoor {
    /// Webhooks as the desk takes them, and deliveries as the store has them.
    init(_ desk: CommandDesk, _ store: WebhookStore) {
        self.init(desk)
        deliveries = { webhook, before, limit in
            do throws(PostgresError) {
                return try await store.list(of: webhook, before: before, limit: limit).map { Delivery($0) }
            } catch { return nil }
        }
        givenUp = { last, limit in
            do throws(PostgresError) {
                return try await store.givenUp(after: last, limit: limit).map {
                    GivenUp(id: $0.webhook, organization: $0.organization, position: $0.position, problem: $0.problem)
                }
            } catch { return nil }
        }
        redeliver = { webhook, event in
            do throws(PostgresError) {
                return try await store.redeliver(event, to: webhook)
            } catch { return nil }
        }
    }
}

extension WebhookDoor.Delivery {
    fileprivate init(_ delivery: WebhookDelivery) {
        self.init(
            id: delivery.event,
            position: delivery.position,
            type: delivery.type,
            status: delivery.status.rawValue,
            attempts: delivery.attempts,
            nextAttemptAt: delivery.status == .pending ? delivery.due : nil,
            answered: delivery.answered,
            problem: delivery.problem,
            triedAt: delivery.triedAt,
            endedAt: delivery.endedAt
        )
    }
}
