extension API {
    /// What is told of roll-outs.
    static let rolloutShapes: [String: Schema] = [
        "RolloutStarted": .object([
            .init("operation", .object([.init("id", .uuid), .init("status", .text)])),
            .init("rollout", .object([.init("id", .identifier)])),
        ]),
        "Rollouts": page("Rollout"),
        "Rollout": .object([
            .init("id", .identifier), .init("operationId", .uuid), .init("version", .text), .init("strategy", .text),
            .init("status", .oneOf(["running", "paused", "aborted", "finished"])), .init("reason", .nullable(.text)),
            .init("bakeSeconds", .position), .init("toleratedFailures", .position), .init("total", .position),
            .init("waves", .array(rolloutWave)), .init("startedAt", .time), .init("updatedAt", .time),
        ]),
    ]

    private static let rolloutWave = Schema.object([
        .init("target", .text), .init("status", .oneOf(["planned", "running", "finished"])),
        .init("asked", .position), .init("changed", .position), .init("failed", .array(.identifier)),
        .init("skipped", .array(.object([.init("instance", .identifier), .init("reason", .text)]))),
    ])
}
