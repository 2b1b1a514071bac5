internal import Commands
internal import HTTPTypes
internal import Kernel

/// What operators make unreadable.
extension API {
    var erasureRoutes: [Route] {
        [
            Route(
                .post,
                "/v1/admin/erasures",
                "erase",
                "Makes a subject's sealed fields, or the payloads of some events, unreadable for ever.",
                access: .operators,
                body: ErasureBody.self,
                success: .init(.ok, .named("Erasure")),
                handler: erase
            )
        ]
    }

    private func erase(_ call: Call, _ body: ErasureBody) async throws(Problem) -> Answer {
        let envelope = try envelope(call)
        let receipt: Receipt<Erased>
        switch (body.subject, body.positions) {
        case (let subject?, nil):
            receipt = try await give { () throws(CommandError) in
                try await backend.commands.eraseSubject(subject, body.reason, envelope)
            }
        case (nil, let positions?):
            receipt = try await give { () throws(CommandError) in
                try await backend.commands.erasePositions(positions, body.reason, envelope)
            }
        default:
            throw .invalid([.init("must have either `subject` or `positions`", pointer: "#")])
        }
        return try .json(receipt.answer, position: receipt.position)
    }
}

struct ErasureBody: RequestBody {
    var subject: String?
    var positions: [Int64]?
    var reason: String

    static let schema = Schema.object([
        .init("subject", .string(1...200), required: false),
        .init("positions", .array(.integer(1...Int64.max)), required: false),
        .init("reason", .string(1...500)),
    ])
}
