import Domain
import FoundationEssentials
import Kernel
import Testing
import Yams

@Suite("Catalogue")
struct CatalogueTests {
    private static let path = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "deploy/catalogue.yaml")

    private func file() throws -> CatalogueFile {
        try YAMLDecoder().decode(CatalogueFile.self, from: Data(contentsOf: Self.path))
    }

    @Test("the catalogue that is delivered is whole and says what the plans cost and contain")
    func delivered() throws {
        let catalogue = try Catalogue(validating: try file())
        #expect(catalogue.offers.map(\.plan.tier) == Tier.allCases)
        #expect(catalogue.offers.map(\.price.amount) == [0, 1900, 3900, 9900, 20000])
        let team = try #require(catalogue.offer(price: "team-monthly"))
        #expect(team.plan.resources == Resources(cpu: 2000, memory: 4096, priority: 90))
        #expect(team.plan.update == UpdatePolicy(canary: 1, autoRevert: true))
        #expect(team.plan.quotas["QUOTA_ORG_CUSTOMER"] == "5000")
        #expect(team.plan.quotas["QUOTA_ENABLED"] == "true")
        #expect(team.plan.quotas["QUOTA_GLOBAL_USER"] == "-1")
        #expect(team.plan.entitlements["infra.isolation_level"] == "isolated")
        #expect(team.computeEngine == .hetzner)
    }

    @Test("a larger plan never has less than a smaller one", arguments: Catalogue.requiredQuotas)
    func quotasGrow(quota: String) throws {
        let offers = try Catalogue(validating: try file()).offers
        let limits = offers.compactMap { $0.plan.quotas[quota].flatMap(Int.init) }.map { $0 == -1 ? Int.max : $0 }
        #expect(limits == limits.sorted())
    }

    @Test("everything that is wrong is said at once, each with its place")
    func allFlaws() throws {
        var broken = try file()
        broken.plans?[2].quotas?["QUOTA_ORG_CUSTOMER"] = CatalogueFile.Scalar("")
        broken.plans?[0].resources?.cpu = nil
        broken.plans?[1].prices?[0].computeEngine = "mainframe"
        broken.plans?[3].prices?[0].currency = "usd"
        broken.plans?[3].quotas?["QUOTA_ORG_CUSTOMRE"] = CatalogueFile.Scalar("1")
        broken.plans?[4].tier = "TEAM"
        let flaws = #expect(throws: Catalogue.Flaws.self) { try Catalogue(validating: broken) }
        #expect(
            flaws?.list == [
                "plans[0].resources.cpu: is missing",
                "plans[1].prices[0].computeEngine: is not one of hetzner, digitalocean, gcp, aws",
                "plans[2].quotas.QUOTA_ORG_CUSTOMER: is missing",
                "plans[3].quotas.QUOTA_ORG_CUSTOMRE: is unknown",
                "plans[3].prices[0].currency: is not an ISO 4217 code",
                "plans[4].tier: TEAM is there already",
                "plans: ENTERPRISE is missing",
            ]
        )
    }

    @Test("an empty file has no plan at all")
    func empty() throws {
        let flaws = #expect(throws: Catalogue.Flaws.self) {
            try Catalogue(validating: try YAMLDecoder().decode(CatalogueFile.self, from: "{}"))
        }
        #expect(flaws?.list.count == Tier.allCases.count)
    }

    @Test("one code cannot be two prices")
    func duplicateCode() throws {
        var broken = try file()
        broken.plans?[1].prices?[0].code = "free-trial-monthly"
        let flaws = #expect(throws: Catalogue.Flaws.self) { try Catalogue(validating: broken) }
        #expect(flaws?.list == ["plans[1].prices[0].code: free-trial-monthly is there already"])
    }
}
