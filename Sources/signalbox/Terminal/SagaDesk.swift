internal import ArgumentParser
internal import Kernel
internal import Sagas
internal import Server

/// Where commands about sagas go: to the API, or straight to the database when no server is up.
struct SagaDesk: ParsableArguments {
    @Flag(help: "Without the API, over DATABASE_URL or the folder of `signalbox dev`.")
    var directly = false

    @OptionGroup var reach: Reach

    static func id(_ text: String) throws -> UniqueID {
        guard let id = UniqueID(text) else { throw Exit.usage("\(text) is not a saga id") }
        return id
    }

    func list(_ wish: SagaWish, limit: Int) async throws -> SagaPage {
        if directly { return try await direct { try await $0.list(wish, limit: limit) } }
        let wish = [
            "status": wish.statuses?.first, "kind": wish.kind, "target": wish.target, "lane": wish.lane,
            "stuck": wish.stuck ? "true" : nil,
        ]
        return try await client.page("/v1/admin/sagas", wish, limit: limit)
    }

    func show(_ saga: UniqueID) async throws -> SagaView {
        if directly { return try await direct { try await $0.show(saga) } }
        let answer = try await client.send("GET", "/v1/admin/sagas/\(saga)")
        return try JSON.decode(SagaView.self, from: JSON.encode(answer.body))
    }

    /// Hands over the saga as it is and whenever it changes, until the closure says that it was enough.
    func follow(_ saga: UniqueID, _ look: (SagaView) throws -> Bool) async throws {
        if directly {
            var view = try await show(saga)
            while try look(view) {
                let seen = view
                repeat {
                    try await Task.sleep(for: .milliseconds(500))
                    view = try await show(saga)
                } while view == seen
            }
            return
        }
        for try await data in try await client.events("/v1/admin/sagas/\(saga)/stream") {
            guard try look(try JSON.decode(SagaView.self, from: data)) else { return }
        }
    }

    /// - Returns: What the saga is then.
    func act(_ verb: SagaVerb, on saga: UniqueID, _ order: SagaOrder) async throws -> String {
        if directly {
            let deed = SagaDeed(actor: SagaDesk.operator, reason: order.reason, expectedVersion: order.version)
            return try await direct { try await $0.act(verb, on: saga, deed).status }
        }
        var body: [String: JSONValue] = ["reason": .string(order.reason), "version": .string(String(order.version))]
        switch verb {
        case .skip(let step, let force):
            if let step { body["step"] = .string(step) }
            body["force"] = .bool(force)
        case .setOutput(let step, let output, let evidence):
            (body["step"], body["output"], body["evidence"]) = (.string(step), output, evidence)
        case .migrate(let force): body["force"] = .bool(force)
        case .retry, .park, .resume, .cancel, .abandon: break
        }
        let answer = try await client.send(
            "POST",
            "/v1/admin/sagas/\(saga)/\(verb.name.rawValue)",
            body: .object(body),
            headers: order.key.map { ["Idempotency-Key": $0] } ?? [:]
        )
        return answer.body["operation"]?["status"]?.string ?? ""
    }
}
