internal import Domain
package import EventStore
internal import Kernel
package import Logging
package import Postgres

/// Decides who is told of what: follows the log, keeps the table of webhooks, and makes one delivery for each event and
/// each webhook that wants it.
///
/// Its place in the log moves in the same transaction as what it makes, so nothing is left out and nothing comes twice,
/// whatever dies when, and however many processes do it.
package struct WebhookPlanner: Sendable {
    private let pool: Pool
    private let log: any EventLog
    private let logger: Logger
    private let wake: Bell
    private let wakeup: @Sendable (Duration) async -> Void
    static let checkpoint = "webhooks"

    /// Makes a planner; nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - pool: As the role `signalbox_append`.
    ///   - log: What it follows.
    ///   - wake: Rung when there is something to deliver.
    ///   - logger: For operators.
    ///   - wakeup: Waits for something to be appended, for so long at most.
    package init(
        pool: Pool,
        log: any EventLog,
        wake: Bell,
        logger: Logger = Logger(label: "signalbox.webhooks"),
        wakeup: @escaping @Sendable (Duration) async -> Void
    ) {
        self.pool = pool
        self.log = log
        self.wake = wake
        self.logger = logger
        self.wakeup = wakeup
    }

    /// Follows the log until it is cancelled.
    package func run() async {
        while !Task.isCancelled {
            do throws(LogError) {
                if try await turn() == false { await wakeup(.milliseconds(500)) }
            } catch .violated(let what) {
                // It stands still: what was not read right must not be passed over.
                logger.critical("the log broke a promise; no webhook is called", metadata: ["what": "\(what)"])
                await wakeup(.seconds(30))
            } catch {
                logger.warning("webhooks cannot be planned", metadata: ["error": "\(error)"])
                await wakeup(.seconds(1))
            }
        }
    }

    /// Takes in the next stretch of the log.
    ///
    /// - Returns: Whether there was anything to read.
    /// - Throws: ``EventStore/LogError``; what was read will be read again.
    @discardableResult
    package func turn() async throws(LogError) -> Bool {
        let position = try await position()
        let page = try await log.read(after: position, through: nil, matching: .everything, limit: 1000)
        try page.check(after: position, isWhole: true, for: .webhooks)
        guard page.scannedTo > position else { return false }
        do throws(PostgresError) {
            let planned = try await pool.transaction { connection throws(PostgresError) in
                try connection.plan(page, after: position)
            }
            if planned > 0 { wake.ring() }
        } catch {
            guard error.kind != .shape else { throw .violated(error.message) }
            throw .unavailable("\(error)")
        }
        return true
    }

    /// How far it has come.
    package func position() async throws(LogError) -> Int64 {
        do throws(PostgresError) {
            return try await pool.with { connection throws(PostgresError) in
                let rows = try connection.run("SELECT position FROM saga.checkpoint WHERE name = \(Self.checkpoint)")
                return rows.count == 0 ? 0 : try rows.decode(0, Int64.self)
            }
        } catch { throw .unavailable("\(error)") }
    }
}

extension Connection {
    /// Takes a page in, unless another process was faster.
    ///
    /// - Returns: How many deliveries were made.
    fileprivate func plan(_ page: EventPage, after position: Int64) throws(PostgresError) -> Int {
        let name = WebhookPlanner.checkpoint
        _ = try run("INSERT INTO saga.checkpoint (name, position) VALUES (\(name), 0) ON CONFLICT DO NOTHING")
        let known = try run("SELECT position FROM saga.checkpoint WHERE name = \(name) FOR UPDATE")
        guard try known.decode(0, Int64.self) == position else { return 0 }
        var endpoints = try endpoints(of: Set(page.events.compactMap { $0.organization?.value }))
        var planned: [(webhook: UniqueID, event: RecordedEvent)] = []
        for event in page.events {
            guard let organization = event.organization else { continue }
            if let change = try Self.change(event) {
                try apply(change, of: organization, at: event)
                endpoints =
                    endpoints.filter { $0.organization != organization }
                    + (try self.endpoints(of: [organization.value]))
                // Who is not there any more is told nothing any more.
                let here = Set(endpoints.map(\.webhook))
                planned = planned.filter { here.contains($0.webhook) }
            }
            for endpoint in endpoints
            where endpoint.organization == organization && endpoint.wants(event.type, at: event.position) {
                planned.append((endpoint.webhook, event))
            }
        }
        if !planned.isEmpty {
            _ = try run(
                """
                INSERT INTO hook.delivery (webhook, event, position, type)
                SELECT *
                  FROM unnest(
                       \(array: planned.map(\.webhook)),
                       \(array: planned.map(\.event.id)),
                       \(array: planned.map(\.event.position)),
                       \(array: planned.map(\.event.type))
                  )
                ON CONFLICT DO NOTHING
                """
            )
        }
        _ = try run("UPDATE saga.checkpoint SET position = \(page.scannedTo) WHERE name = \(name)")
        return planned.count
    }

    /// What an event says about webhooks; `nil` for most, and for what was erased.
    private static func change(_ event: RecordedEvent) throws(PostgresError) -> OrganizationEvent? {
        guard event.stream.category == OrganizationEvent.category, let payload = event.payload else { return nil }
        do {
            let read = try OrganizationEvent.decode(
                type: event.type,
                schemaVersion: event.schemaVersion,
                payload: payload
            )
            switch read {
            case .webhookRegistered, .webhookEnabled, .webhookDisabled, .webhookSecretRotated, .webhookRemoved,
                .personalDataErased, .deleted:
                return read
            default: return nil
            }
        } catch {
            throw PostgresError(.shape, message: "\(event.stream) \(event.version) cannot be read: \(error)")
        }
    }

    private func apply(
        _ change: OrganizationEvent,
        of organization: OrganizationID,
        at event: RecordedEvent
    ) throws(PostgresError) {
        switch change {
        case .webhookRegistered(let fact):
            _ = try run(
                """
                INSERT INTO hook.endpoint (webhook, organization, url, types, secret, since)
                VALUES (\(fact.webhook), \(organization.value), \(fact.url), \(fact.types.joined(separator: " ")),
                        \(try Self.text(fact.secret)), \(event.position))
                ON CONFLICT DO NOTHING
                """
            )
        case .webhookEnabled(let fact):
            _ = try run(
                """
                UPDATE hook.endpoint SET enabled = true, since = \(event.position) WHERE webhook = \(fact.webhook)
                """
            )
        case .webhookDisabled(let fact):
            _ = try run("UPDATE hook.endpoint SET enabled = false WHERE webhook = \(fact.webhook)")
        case .webhookSecretRotated(let fact):
            _ = try run(
                """
                UPDATE hook.endpoint
                   SET previous = secret, previous_until = \(event.recordedAt + .seconds(86_400)),
                       secret = \(try Self.text(fact.secret))
                 WHERE webhook = \(fact.webhook)
                """
            )
        case .webhookRemoved(let fact):
            _ = try run("DELETE FROM hook.endpoint WHERE webhook = \(fact.webhook)")
        case .personalDataErased, .deleted:
            _ = try run("DELETE FROM hook.endpoint WHERE organization = \(organization.value)")
        default: break
        }
    }

    private static func text(_ secret: Sealed) throws(PostgresError) -> String {
        do {
            return String(decoding: try JSON.encode(secret), as: UTF8.self)
        } catch {
            throw PostgresError(.shape, message: "a secret cannot be written: \(error)")
        }
    }

    private func endpoints(of organizations: Set<Int64>) throws(PostgresError) -> [Endpoint] {
        guard !organizations.isEmpty else { return [] }
        let rows = try run(
            """
            SELECT webhook, organization, types, enabled, since
              FROM hook.endpoint
             WHERE organization = ANY (\(array: organizations.sorted()))
             ORDER BY webhook
            """,
            prepared: true
        )
        var all: [Endpoint] = []
        for index in 0..<rows.count {
            let row = try rows.decode(index, UniqueID.self, Int64.self, String.self, Bool.self, Int64.self)
            guard let organization = OrganizationID(row.1) else {
                throw PostgresError(.shape, message: "a webhook is of no organization")
            }
            all.append(
                Endpoint(
                    webhook: row.0,
                    organization: organization,
                    types: Set(row.2.split(separator: " ").map(String.init)),
                    isEnabled: row.3,
                    since: row.4
                )
            )
        }
        return all
    }
}
