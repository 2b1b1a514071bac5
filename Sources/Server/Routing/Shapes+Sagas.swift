internal import Sagas

/// The shapes of what operators look at.
extension API {
    static let operatorShapes: [String: Schema] = [
        "Sagas": .object([
            .init("data", .array(.named("SagaSummary"))), .init("next", .text, required: false),
        ]),
        "SagaSummary": .object([
            .init("id", .uuid), .init("kind", .text), .init("stream", .text), .init("lane", .text),
            .init("status", .oneOf(operationStates)), .init("priority", .position),
            .init("step", .text, required: false), .init("target", .text, required: false),
            .init("deadline", .time, required: false), .init("wakeAt", .time, required: false),
            .init("owner", .text, required: false),
        ]),
        "DeadLetters": page("DeadLetter"),
        "DeadLetter": .object([
            .init("kind", .oneOf(DeadLetter.Kind.allCases.map(\.rawValue))), .init("id", .text),
            .init("organizationId", .nullable(.identifier)), .init("position", .nullable(.position)),
            .init("problem", .text), .init("path", .text),
        ]),
        "Targets": .object([
            .init("data", .array(.named("Target"))), .init("version", .position),
        ]),
        "Target": .object([
            .init("name", .text), .init("status", .oneOf(TargetView.statuses)),
            .init("until", .time, required: false), .init("reason", .text, required: false),
            .init("failedInARow", .position), .init("calls", .position), .init("failures", .position),
            .init("openings", .position), .init("inFlight", .position),
            .init(
                "limits",
                .object([
                    .init("most", .position, required: false), .init("rate", .number, required: false),
                    .init("burst", .number, required: false),
                ])
            ),
            .init("lastError", .text, required: false), .init("changedAt", .time),
        ]),
        "TargetState": .object([.init("name", .text), .init("status", .oneOf(["held", "closed"]))]),
        "LedgerPage": .object([
            .init("data", .array(.named("LedgerResource"))), .init("next", .text, required: false),
        ]),
        "LedgerResource": .object([
            .init("kind", .oneOf(resourceKinds)), .init("name", .text), .init("instance", .text, required: false),
            .init("generation", .position, required: false), .init("organization", .identifier, required: false),
            .init("saga", .text), .init("step", .text), .init("state", .oneOf(resourceStates)),
            .init("keeps", .boolean), .init("intendedAt", .time), .init("changedAt", .time),
            .init("observedAt", .time, required: false), .init("until", .time, required: false),
            .init("position", .position),
        ]),
        "Saga": .object([
            .init("id", .uuid), .init("kind", .text), .init("definition", .position), .init("stream", .text),
            .init("subject", .text), .init("lane", .text), .init("status", .oneOf(operationStates)),
            .init("version", .position), .init("parked", .text, required: false),
            .init("failure", .text, required: false), .init("startedAt", .time),
            .init("endedAt", .time, required: false), .init("deadline", .time),
            .init(
                "lease",
                .object([.init("owner", .text), .init("until", .time), .init("fence", .position)]),
                required: false
            ),
            .init("next", next), .init("deeds", .array(.text)), .init("steps", .array(step)),
            .init("timeline", .array(entry)),
        ]),
    ]

    private static let next = Schema.object([
        .init("action", .oneOf(["nothing", "person", "queue", "under-way", "attempt", "undo"])),
        .init("step", .text, required: false), .init("at", .time, required: false), .init("why", .text),
    ])

    private static let step = Schema.object([
        .init("id", .text),
        .init("status", .oneOf(["pending", "started", "succeeded", "skipped", "undoing", "undone"])),
        .init("target", .text, required: false), .init("attempt", .position), .init("key", .text, required: false),
        .init("condition", .text, required: false), .init("lastError", .text, required: false),
        .init("retryAt", .time, required: false), .init("startedAt", .time, required: false),
        .init("endedAt", .time, required: false), .init("pivot", .boolean, required: false),
        .init("skippable", .boolean, required: false),
        .init(
            "attempts",
            .array(
                .object([
                    .init("number", .position), .init("undo", .boolean), .init("startedAt", .time),
                    .init("endedAt", .time, required: false), .init("outcome", .text, required: false),
                    .init("code", .text, required: false), .init("message", .text, required: false),
                    .init("retryAt", .time, required: false),
                ])
            )
        ),
    ])

    private static let entry = Schema.object([
        .init("position", .position), .init("version", .position), .init("type", .text), .init("at", .time),
        .init("actor", .text), .init("data", .json, required: false),
    ])
}
