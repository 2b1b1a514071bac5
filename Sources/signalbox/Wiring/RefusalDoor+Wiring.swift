internal import Audit
internal import Postgres
internal import Server

extension RefusalDoor {
    /// Refusals as the recorder takes them and the store has them.
    init(_ recorder: RefusalRecorder, _ store: RefusalStore) {
        self.init()
        record = { entry in
            recorder.record(
                Refusal(
                    at: entry.at,
                    principal: entry.principal,
                    organization: entry.organizationID.flatMap { Int64($0) },
                    action: entry.action,
                    problem: entry.problem,
                    request: entry.requestID
                )
            )
        }
        list = { organization, before, limit in
            do throws(PostgresError) {
                let found = try await store.list(
                    of: organization.flatMap { Int64($0) },
                    before: before,
                    limit: limit + 1
                )
                let shown = found.prefix(limit)
                return Slice(
                    data: shown.map { Entry($0.refusal) },
                    next: found.count > limit ? shown.last?.number : nil
                )
            } catch {
                return nil
            }
        }
    }
}

extension RefusalDoor.Entry {
    fileprivate init(_ refusal: Refusal) {
        self.init(
            at: refusal.at,
            principal: refusal.principal,
            organizationID: refusal.organization.map(String.init),
            action: refusal.action,
            problem: refusal.problem,
            requestID: refusal.request
        )
    }
}
