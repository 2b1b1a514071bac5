import HTTPTypes
import Kernel
import Projections
import Sagas
@testable import Server
import Testing

@Suite("What waits for a person")
struct DeadLetterTests {
    private static let webhooks = (1...3).map { UniqueID(UInt128($0)) }

    private static func parked(_ id: String) -> SagaSummary? {
        let document: JSONValue = [
            "id": .string(id), "kind": "provision-instance", "stream": .string("saga-provision-instance." + id),
            "lane": "instance-1", "status": "parked", "priority": 1, "step": "create-database",
        ]
        return try? JSON.decode(SagaSummary.self, from: JSON.encode(document))
    }

    private func stage() async throws -> Stage {
        var stage = try await Stage()
        stage.backend.reads.projections = { () throws(ReadError) in
            [
                ProjectionState(
                    name: "instances",
                    shape: 1,
                    build: 1,
                    live: true,
                    position: 9,
                    lag: 0,
                    lagSeconds: 0,
                    blockedOrganizations: [
                        BlockedOrganization(organizationId: OrganizationID(7), position: 5, error: "no plan"),
                        BlockedOrganization(organizationId: OrganizationID(8), position: 6, error: "no plan"),
                    ],
                    slices: [9]
                )
            ]
        }
        stage.backend.sagas.list = { wish, cursor, limit throws(SagaOperationError) in
            #expect(wish == SagaWish(statuses: ["parked"]))
            guard cursor == nil || cursor == "1" else { throw .badCursor }
            let ids = ["0190f2d4-3a8e-7cc1-8f00-000000000001", "0190f2d4-3a8e-7cc1-8f00-000000000002"]
            let data = ids.dropFirst(cursor == nil ? 0 : 1).prefix(limit).compactMap { Self.parked($0) }
            return SagaPage(data: data, next: cursor == nil && limit == 1 ? "1" : nil)
        }
        stage.backend.webhooks.givenUp = { last, limit in
            let all = Self.webhooks.filter { id in last.map { $0 < id } ?? true }
            return all.prefix(limit).compactMap { id in
                OrganizationID(7).map { organization in
                    WebhookDoor.GivenUp(id: id, organization: organization, position: 4, problem: "status 500")
                }
            }
        }
        return stage
    }

    @Test("is in one list, with what is wrong and where something is done about it")
    func all() async throws {
        let stage = try await stage()
        let reply = try await stage.send(.get, "/v1/admin/dead-letters", as: stage.operatorKey)
        let data = try #require(reply.json["data"]?.array, "\(reply.text)")
        #expect(
            data.map { $0["kind"] } == ["projection", "projection", "saga", "saga", "webhook", "webhook", "webhook"]
        )
        #expect(data[0]["organizationId"] == "7" && data[0]["position"] == 5 && data[0]["problem"] == "no plan")
        #expect(data[0]["path"] == "/v1/admin/projections/instances")
        #expect(data[2]["problem"] == "provision-instance is parked at create-database")
        #expect(data[4]["path"]?.string?.hasSuffix("/webhooks/\(Self.webhooks[0])/deliveries") == true)
        #expect(reply.json["next"] == .null && reply.headers[.link] == nil)
        let faults = try #require(API.shapes["DeadLetters"]).resolved.faults(in: reply.json)
        #expect(faults.isEmpty)
    }

    @Test("comes in pages that go on from one kind to the next, each element once", arguments: 1...7)
    func pages(limit: Int) async throws {
        let stage = try await stage()
        let whole = try await stage.send(.get, "/v1/admin/dead-letters", as: stage.operatorKey).json["data"]?.array
        var (path, found): (String?, [JSONValue]) = ("/v1/admin/dead-letters?limit=\(limit)", [])
        while let next = path {
            let reply = try await stage.send(.get, next, as: stage.auditorKey)
            let data = try #require(reply.json["data"]?.array, "\(reply.text)")
            #expect(data.count <= limit)
            found += data
            path = reply.headers[.link].map { String($0.dropFirst().prefix { $0 != ">" }) }
        }
        #expect(found == whole)
    }

    @Test("can be of one kind, and a cursor belongs to its list")
    func kinds() async throws {
        let stage = try await stage()
        let path = "/v1/admin/dead-letters?kind=webhook"
        let first = try await stage.send(.get, path + "&limit=2", as: stage.operatorKey)
        let next = try #require(first.json["next"]?.string)
        #expect(first.json["data"]?.array?.count == 2)
        let second = try await stage.send(.get, path + "&after=" + next, as: stage.operatorKey)
        #expect(second.json["data"]?.array?.count == 1)
        for wrong in ["/v1/admin/dead-letters?kind=saga&after=" + next, path + "&after=zzz", path + "&after=AAAA"] {
            #expect(try await stage.send(.get, wrong, as: stage.operatorKey).problem == "bad-cursor", "\(wrong)")
        }
    }

    @Test("is not given in part when one of the three cannot be asked")
    func unavailable() async throws {
        var stage = try await stage()
        stage.backend.webhooks.givenUp = { _, _ in nil }
        let reply = try await stage.send(.get, "/v1/admin/dead-letters", as: stage.operatorKey)
        #expect(reply.problem == "unavailable")
    }
}
