import Kernel
import Postgres
import Testing

extension Story {
    /// One role, one database, one job, one customer, one active subscription.
    func expectOneOfEverything(_ ids: Onboarded, billingKey: String) async throws {
        let billing = Client(base: running.billing, key: billingKey)
        let customers = try await billing.get("/api/customers?email=org_\(ids.organization)@localhost").json["data"]?
            .array
        #expect(customers?.count == 1)
        let customer = customers?.first?["id"]?.string ?? customers?.first?["ID"]?.string ?? "?"
        let subscriptions = try await billing.get("/api/subscriptions?customer_id=\(customer)").json["data"]?.array
        #expect(subscriptions?.compactMap { ($0["Status"] ?? $0["status"])?.string } == ["ACTIVE"])
        let organization = ids.organization
        let (databases, roles) = try await query(database: "postgres") { tx throws(PostgresError) in
            try tx.run(
                """
                SELECT (SELECT count(*) FROM pg_database WHERE datname LIKE \("%org_" + organization + "%")),
                       (SELECT count(*) FROM pg_roles WHERE rolname LIKE \("%user_" + organization + "%"))
                """
            ).decode(0, Int64.self, Int64.self)
        }
        #expect(databases == 1)
        #expect(roles == 1)
        let jobs = try await Client(base: running.nomad, key: nil).get(
            "/v1/jobs?prefix=railzway-org-\(organization)"
        )
        #expect(jobs.json.array?.count == 1)
    }

    /// Steps of sagas that the log says succeeded more than once.
    func repeatedSteps() async throws -> [String] {
        try await query { tx throws(PostgresError) in
            try tx.run(
                """
                SELECT s.name || ' ' || (convert_from(e.payload, 'UTF8')::jsonb ->> 'step')
                  FROM log.event AS e
                  JOIN log.event_type AS t USING (type_id)
                  JOIN log.stream AS s USING (stream_id)
                 WHERE t.name = 'saga.step-succeeded'
                 GROUP BY 1
                HAVING count(*) > 1
                """
            ).column(String.self)
        }
    }

    /// How many sagas a process works on now.
    func leases(of pid: Int32) async throws -> Int64 {
        try await query { tx throws(PostgresError) in
            try tx.run(
                """
                SELECT count(*)
                  FROM log.work AS w
                  JOIN log.stream AS s USING (stream_id)
                 WHERE s.name LIKE 'saga-%' AND w.owner LIKE \("%:\(pid)") AND w.lease_until > now()
                """
            ).decode(0, Int64.self)
        }
    }
}
