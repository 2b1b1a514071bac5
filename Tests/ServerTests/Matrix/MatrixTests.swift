import HTTPTypes
import Kernel
@testable import Server
import Testing

@Suite("Every route, for everybody")
struct MatrixTests {
    private static let routes = Stage.table.routes
    private static let world = Task { try await MatrixWorld() }

    @Test("every route has a rule, and every rule a route")
    func complete() {
        let routes = Set(Self.routes.map(\.name))
        #expect(routes.subtracting(Self.rules.keys).sorted() == [])
        #expect(Set(Self.rules.keys).subtracting(routes).sorted() == [])
    }

    @Test("answers as its rule says, and who is refused changes nothing", arguments: Self.routes.map(\.name))
    func rule(name: String) async throws {
        let route = try #require(Self.routes.first { $0.name == name })
        let rule = try #require(Self.rules[name])
        let world = try await Self.world.value
        let writes = route.method != .get
        let names = (route.path + rule.query).split(separator: "{").count - 1
        let places: [Place] = names == 0 ? [.own] : names == 1 ? [.own, .foreign] : Place.allCases
        for caller in world.callers {
            for place in places {
                let expected = rule.verdict(for: caller, place, writing: writes)
                // Who is refused changes nothing, so only the others need a world of their own.
                let there = writes && expected == .allowed ? try world.copy() : world
                let before = try await there.stage.size
                let found = try await there.verdict(on: route, rule, for: caller, place)
                // Those who run the plane are told when a thing of the plane is not there.
                let runsPlane =
                    [.platform, .operators].contains(rule.audience) || caller.kind == .operator
                    || caller.kind == .auditor
                let seen = runsPlane && expected == .allowed && found == .hidden ? .allowed : found
                #expect(seen == expected, "\(route.method) \(route.path), \(place), \(caller)")
                if expected != .allowed {
                    #expect(try await there.stage.size == before, "\(name), \(place), \(caller)")
                }
            }
        }
    }

    /// Those of the verbs that operators have are made from the same lists as their routes.
    private static let rules: [String: Rule] = {
        var rules = Rule.all
        for route in routes where route.path.hasPrefix("/v1/admin/sagas/{saga}/") && route.method == .post {
            rules[route.name] = Rule(.operators)
        }
        for route in routes where route.path.hasPrefix("/v1/admin/projections/{projection}/") && route.method == .post {
            rules[route.name] = Rule(.operators)
        }
        return rules
    }()
}
