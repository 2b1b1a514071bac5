import Commands
import Domain
import HTTPTypes
import Kernel
import Testing

@testable import Server

@Suite("Who did what")
struct AuditLogTests {
    @Test("an organization's owner sees what was done in it, newest first, page by page; others see nothing")
    func organization() async throws {
        let stage = try await Stage()
        let made = try #require(try await stage.onboard("acme").json["organization"]?["id"]?.string)
        let path = "/v1/organizations/\(made)/audit-log"
        let whole = try await stage.send(.get, path, as: stage.ana).json["data"]?.array ?? []
        #expect(whole.last?["action"] == "organization.created")
        #expect(whole.allSatisfy { $0["organizationId"]?.string == made })
        let positions = whole.compactMap { $0["position"]?.integer }
        #expect(positions == positions.sorted(by: >) && positions.count >= 3)

        var (paged, next) = ([Int64](), String?.none)
        repeat {
            let page = try await stage.send(
                .get,
                path + "?limit=2" + (next.map { "&after=\($0)" } ?? ""),
                as: stage.ana
            )
            paged += page.json["data"]?.array?.compactMap { $0["position"]?.integer } ?? []
            next = page.json["next"]?.string
        } while next != nil
        #expect(paged == positions)
        #expect(try await stage.send(.get, path + "?actor=nobody", as: stage.ana).json["data"] == [])
        #expect(try await stage.send(.get, path, as: stage.bob).status == .notFound)
    }

    @Test("of an organization's keys, those of owners, admins and auditors see it", arguments: Role.allCases)
    func roles(role: Role) async throws {
        let stage = try await Stage()
        let made = try #require(try await stage.onboard("acme").json["organization"]?["id"]?.string)
        let issued = try await stage.send(
            .post,
            "/v1/organizations/\(made)/api-keys",
            as: stage.ana,
            body: #"{"role":"\#(role.rawValue)","scopes":["read"]}"#
        )
        let key = try #require(issued.json["key"]?.string.flatMap { IssuedKey($0) })
        let answer = try await stage.send(.get, "/v1/organizations/\(made)/audit-log", as: key)
        #expect(answer.status == ([.owner, .admin, .auditor].contains(role) ? .ok : .forbidden))
    }

    @Test("all of it, and the databases, are for those who run the plane or audit it")
    func platform() async throws {
        let stage = try await Stage()
        let made = try #require(try await stage.onboard("acme").json["organization"]?["id"]?.string)
        for path in ["/v1/admin/audit-log", "/v1/admin/databases"] {
            #expect(try await stage.send(.get, path, as: stage.ana).status == .forbidden)
            #expect(try await stage.send(.get, path, as: stage.operatorKey).status == .ok)
        }
        let found = try await stage.send(
            .get,
            "/v1/admin/audit-log?organization=\(made)",
            as: stage.operatorKey
        )
        #expect(found.json["data"]?.array?.isEmpty == false)
        let bad = try await stage.send(.get, "/v1/admin/databases?status=lost", as: stage.operatorKey)
        #expect(bad.status == .unprocessableContent || bad.status == .badRequest, "\(bad.text)")
    }
}
