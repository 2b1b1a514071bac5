/// The shapes of what operators see of the builds of read models.
extension API {
    static let projectionShapes: [String: Schema] = [
        "Rebuilds": .object([.init("data", .array(.named("Rebuild"))), .init("next", .nullable(.text))]),
        "Rebuild": .object([
            .init("name", .text), .init("shape", .position), .init("build", .position),
            .init(
                "phase",
                .oneOf([
                    "loading", "indexing", "catching-up", "verifying", "switching", "done", "ready", "unequal", "held",
                    "cancelled", "failed",
                ])
            ),
            .init("paused", .boolean), .init("dryRun", .boolean), .init("position", .position),
            .init("goal", .position), .init("percent", .number), .init("events", .position),
            .init("eventsPerSecond", .number), .init("secondsLeft", .nullable(.number)),
            .init(
                "verdict",
                .object([
                    .init("position", .position), .init("rows", .position), .init("liveRows", .position),
                    .init("checksum", .text), .init("liveChecksum", .text), .init("differing", .array(.text)),
                ]),
                required: false
            ),
            .init("error", .nullable(.text)), .init("startedAt", .time), .init("updatedAt", .time),
            .init("endedAt", .nullable(.time)),
        ]),
        "ProjectionReceipt": .object([
            .init("name", .text), .init("build", .nullable(.position)),
            .init("rebuild", .named("Rebuild"), required: false),
            .init("blockedAt", .position, required: false),
        ]),
    ]
}
